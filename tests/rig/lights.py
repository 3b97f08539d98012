"""What the light of an arm64 board really did, read in the way that the board allows."""

import time
from collections.abc import Callable, Sequence

from tests.rig.machine import Machine
from tests.rig.recording import BLUE, COLOURS, GREEN, RED, Change, Part, Recorder, parts

__all__ = ["PinLevels", "SimulatedLines"]

# BCM2835 ARM Peripherals, 6.1: GPLEV0, the levels of pins 0 to 31, a bit each. On a BCM2837 they begin at 0x3F000000.
_GPLEV0 = 0x3F200034
_EVERY_S = 0.002


class SimulatedLines:
    """Reads gpio-sim's lines with the recorder inside the guest."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._recorder = Recorder(machine)

    def after(self, act: Callable[[], None], seconds: float) -> Sequence[Part]:
        self._recorder.now()
        act()
        self._machine.pause(seconds)
        return self._recorder.light()


class PinLevels:
    """Reads the level register of the Raspberry Pi's chip in QEMU, without the guest."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def after(self, act: Callable[[], None], seconds: float) -> Sequence[Part]:
        act()
        changes: list[Change] = []
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            colour = self._colour()
            if not changes or colour != changes[-1][1]:
                changes.append((1000 * now, colour))
            time.sleep(_EVERY_S)
        return parts(changes)

    def _colour(self) -> str:
        answer = self._machine.qmp.command("human-monitor-command", **{"command-line": f"xp /1wx {_GPLEV0:#x}"})
        levels = int(answer.split()[-1], 16)
        return COLOURS["".join(str(levels >> pin & 1) for pin in (RED, GREEN, BLUE))]

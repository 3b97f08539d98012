"""Playing signals on a lamp: one thread an indicator, so that nobody waits for a light."""

import queue
import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from agent.contract.reasons import Reason
from agent.contract.signals import Colour, Signal, Steady
from agent.drivers.indicators.indicator import Indicator
from agent.drivers.indicators.sequencer import Sequencer
from agent.errors import DeviceError

__all__ = ["Lamp", "Player"]

_CLOSE_S = 1.0
"""How long `close` waits for the thread: a lamp that hangs must not hang the stop."""

_NOTES_MAX = 1000
"""What may wait for a lamp that hangs; more is dropped."""


class Lamp(Protocol):
    """A light with a buzzer and, it may be, a bar; driven by one thread. Methods raise DeviceError when it fails."""

    def set(self, colour: Colour, buzz: bool) -> None:
        """Show the colour, and sound or not, until told otherwise."""

    def bar(self, fraction: float) -> None:
        """How much of the bar is lit, 0 to 1; without a bar nothing."""

    def close(self) -> None:
        """Dark and silent; let go of the device. Twice is fine."""


class Player(Indicator):
    """An indicator that plays the signals of `agent.contract.signals` on a lamp, and owns the lamp."""

    def __init__(self, lamp: Lamp, *, name: str = "indicator") -> None:
        super().__init__()
        self._lamp = lamp
        self._sequencer = Sequencer()
        # Whoever calls only puts a note into the queue; sequencer and lamp belong to the thread.
        self._notes: queue.SimpleQueue[Callable[[], bool] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._play, name=name, daemon=True)
        self._thread.start()

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        self._put(lambda: self._sequencer.play(signal, pending=pending))

    def scan_seen(self) -> None:
        self._put(self._sequencer.scan_seen)

    def steady(self, light: Steady) -> None:
        self._put(lambda: self._sequencer.steady(light))

    def offline(self, is_offline: bool) -> None:
        self._put(lambda: self._sequencer.offline(is_offline))

    def bar(self, scanned: int, ordered: int) -> None:
        self._put(lambda: self._show_bar(min(max(scanned / ordered, 0.0), 1.0) if ordered > 0 else 0.0))

    def identify(self) -> None:
        self._put(self._sequencer.identify)

    def clear_fault(self) -> None:
        self._put(self._sequencer.clear_fault)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._notes.put(None)
        self._thread.join(_CLOSE_S)

    def _put(self, note: Callable[[], bool]) -> None:
        if self._notes.qsize() < _NOTES_MAX:
            self._notes.put(note)
        else:
            self.fault = "the device does not answer"

    def _play(self) -> None:
        try:
            while self._play_step():
                pass
        finally:
            self._try(self._lamp.close)

    def _play_step(self) -> bool:
        """Show one step for its time, or until a note makes it out of date; answer whether to go on."""
        step = self._sequencer.step()
        self._try(lambda: self._lamp.set(step.colour, step.buzz))
        until = monotonic() + step.ms / 1000
        while (left_s := until - monotonic()) > 0:
            try:
                note = self._notes.get(timeout=left_s)
            except queue.Empty:
                return True
            if note is None:
                return False
            if note():
                return True
        return True

    def _show_bar(self, fraction: float) -> bool:
        self._try(lambda: self._lamp.bar(fraction))
        return False

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except DeviceError as exc:
            self.fault = str(exc)
        else:
            self.fault = None

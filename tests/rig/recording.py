"""What light and buzzer really did: the values of the GPIO lines over time, compared with a pattern."""

from collections.abc import Sequence
from itertools import pairwise

from tests.rig.machine import Machine

__all__ = ["BLUE", "COLOURS", "GREEN", "RED", "Change", "Part", "Recorder", "check", "parts", "rhythm"]

RED, GREEN, BLUE, BUZZER = 17, 27, 22, 18
TOLERANCE_MS = 150.0
"""Enough to tell short from long: in an emulated guest a thread may wake late. The table shows how late."""

COLOURS = {"000": "dark", "100": "red", "010": "green", "001": "blue", "110": "amber"}
_GAP_MS = 80.0
_SETTLING_MS = 12.0
_LOG = "/run/gpio.log"

Part = tuple[str, float | None]
"""(a colour, or "on" or "off" of the buzzer; milliseconds, None for any time)"""

Change = tuple[float, str]
"""(milliseconds, value from then on)"""


class Recorder:
    """Records the lines of the light and the buzzer."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        machine.run(f"pkill -x gpio_record; rm -f {_LOG}; true")
        machine.start(f"/opt/rig/gpio_record {RED} {GREEN} {BLUE} {BUZZER}", _LOG)
        machine.until(f"test -s {_LOG}")
        self._from_ms = 0.0

    def now(self) -> None:
        """Have `light` and `buzzer` return what follows from here."""
        self._from_ms = 1000 * float(self._machine.run("cut -d' ' -f1 /proc/uptime"))

    def light(self) -> list[Part]:
        """Return the colours since `now`."""
        return parts([(at, COLOURS.get(values[:3], values[:3])) for at, values in self._changes()])

    def light_with_buzzer(self) -> list[Part]:
        """Return the colours since the buzzer's first mark: a signal begins both at once."""
        changes = self._changes()
        sounds = [place for place, (_, values) in enumerate(changes) if values[3] == "1"]
        assert sounds, f"no sound: {changes}"
        return parts([(at, COLOURS.get(values[:3], values[:3])) for at, values in changes[sounds[0] :]])

    def buzzer(self) -> list[Part]:
        return parts([(at, "on" if values[3] == "1" else "off") for at, values in self._changes()])

    def _changes(self) -> list[Change]:
        """Return every change since `now`, with the values at `now` first."""
        lines = [line.split() for line in self._machine.get(_LOG).decode().splitlines()]
        changes = [(float(line[0]), line[1]) for line in lines if len(line) == 2 and len(line[1]) == 4]
        before = [values for at, values in changes if at < self._from_ms]
        return [(self._from_ms, one) for one in before[-1:]] + [one for one in changes if one[0] >= self._from_ms]


def rhythm(marks: Sequence[int]) -> list[Part]:
    """Return the parts of a buzzer that sounds for each of these milliseconds."""
    sound: list[Part] = [("off", None)]
    for mark in marks:
        sound += [("on", float(mark)), ("off", _GAP_MS)]
    return [*sound[:-1], ("off", None)]


def check(found: Sequence[Part], wanted: Sequence[Part], what: str) -> list[float]:
    """Return how many ms each known time is off. Raises AssertionError if the order differs, or a time by too much."""
    text = f"{what}: {_text(found)} instead of {_text(wanted)}"
    assert [value for value, _ in found[: len(wanted)]] == [value for value, _ in wanted], text
    differences = [abs(lasted - ms) for (_, lasted), (_, ms) in zip(found, wanted, strict=False) if ms and lasted]
    assert max(differences, default=0.0) <= TOLERANCE_MS, text
    return differences


def parts(changes: Sequence[Change]) -> list[Part]:
    """Return each value with how long it lasted; the last has no known end.

    A colour is three lines, which are set one after the other: what lasts less than `_SETTLING_MS` is no colour.
    """
    changes = [
        change
        for place, change in enumerate(changes)
        if place + 1 == len(changes) or changes[place + 1][0] - change[0] >= _SETTLING_MS
    ]
    merged = [change for place, change in enumerate(changes) if place == 0 or changes[place - 1][1] != change[1]]
    lasted: list[Part] = [(value, until - at) for (at, value), (until, _) in pairwise(merged)]
    return lasted + [(value, None) for _, value in merged[-1:]]


def _text(found: Sequence[Part]) -> str:
    return " ".join(value if ms is None else f"{value} {ms:.0f}" for value, ms in found)

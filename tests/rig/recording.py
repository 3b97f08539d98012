"""What light and buzzer really did: the GPIO lines' values over time, and how near that is to a pattern."""

from collections.abc import Sequence
from itertools import pairwise

from tests.rig.machine import Machine

__all__ = ["BLUE", "COLOURS", "GREEN", "RED", "Change", "Part", "Recorder", "check", "parts", "rhythm"]

RED, GREEN, BLUE, BUZZER = 17, 27, 22, 18
TOLERANCE_MS = 150.0
"""Tells short from long, and no more: in an emulated guest a thread may wake late. The table shows how late it was."""

COLOURS = {"000": "dark", "100": "red", "010": "green", "001": "blue", "110": "amber"}
_GAP_MS = 80.0
_SETTLING_MS = 12.0
_LOG = "/run/gpio.log"

Part = tuple[str, float | None]
"""A colour, or "on" and "off" of the buzzer, and for how many milliseconds; None: for any time."""

Change = tuple[float, str]
"""When, in milliseconds, and what from then on."""


class Recorder:
    """Records the lines of the light and the buzzer, from its making on."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        machine.run(f"pkill -x gpio_record; rm -f {_LOG}; true")
        machine.start(f"/opt/rig/gpio_record {RED} {GREEN} {BLUE} {BUZZER}", _LOG)
        machine.until(f"test -s {_LOG}")
        self._from_ms = 0.0

    def now(self) -> None:
        """What follows is of interest."""
        self._from_ms = 1000 * float(self._machine.run("cut -d' ' -f1 /proc/uptime"))

    def light(self) -> list[Part]:
        """The colours since `now`."""
        return parts([(at, COLOURS.get(values[:3], values[:3])) for at, values in self._changes()])

    def light_with_buzzer(self) -> list[Part]:
        """The colours from the buzzer's first mark on: a signal begins both at once."""
        changes = self._changes()
        sounds = [place for place, (_, values) in enumerate(changes) if values[3] == "1"]
        assert sounds, f"no sound: {changes}"
        return parts([(at, COLOURS.get(values[:3], values[:3])) for at, values in changes[sounds[0] :]])

    def buzzer(self) -> list[Part]:
        return parts([(at, "on" if values[3] == "1" else "off") for at, values in self._changes()])

    def _changes(self) -> list[Change]:
        """Every change since `now`, and the values that it began with."""
        lines = [line.split() for line in self._machine.get(_LOG).decode().splitlines()]
        changes = [(float(line[0]), line[1]) for line in lines if len(line) == 2 and len(line[1]) == 4]
        before = [values for at, values in changes if at < self._from_ms]
        return [(self._from_ms, one) for one in before[-1:]] + [one for one in changes if one[0] >= self._from_ms]


def rhythm(marks: Sequence[int]) -> list[Part]:
    """The buzzer's parts for marks of so many milliseconds."""
    sound: list[Part] = [("off", None)]
    for mark in marks:
        sound += [("on", float(mark)), ("off", _GAP_MS)]
    return [*sound[:-1], ("off", None)]


def check(found: Sequence[Part], wanted: Sequence[Part], what: str) -> list[float]:
    """How far off each known time is, in ms; AssertionError where the order differs, or a time by too much."""
    text = f"{what}: {_text(found)} instead of {_text(wanted)}"
    assert [value for value, _ in found[: len(wanted)]] == [value for value, _ in wanted], text
    differences = [abs(lasted - ms) for (_, lasted), (_, ms) in zip(found, wanted, strict=False) if ms and lasted]
    assert max(differences, default=0.0) <= TOLERANCE_MS, text
    return differences


def parts(changes: Sequence[Change]) -> list[Part]:
    """Values with how long each lasted; equal ones in a row are one, and the last has no known end.

    The three colours are three lines, set one after the other: what lasts for less than `_SETTLING_MS` is no colour.
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

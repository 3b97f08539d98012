"""How states are shown: a colour, an icon and a word, which always stand together."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

__all__ = [
    "INCOMPLETE",
    "NOT_FOUND",
    "ORDER_LOOKS",
    "Appearance",
    "Tone",
    "box_look",
    "line_look",
    "order_look",
    "unit_look",
]


class Tone(StrEnum):
    """The colour of a state, by what it means."""

    GO = "go"
    WAIT = "wait"
    WARN = "warn"
    STOP = "stop"
    IDLE = "idle"


class Appearance(NamedTuple):
    """How a state is shown."""

    tone: Tone
    icon: str
    word: str


ORDER_LOOKS = {
    "open": Appearance(Tone.IDLE, "ready", "open"),
    "in_progress": Appearance(Tone.WAIT, "scan", "in progress"),
    "packed": Appearance(Tone.GO, "pack", "packed"),
    "cancelled": Appearance(Tone.STOP, "cancelled", "cancelled"),
    "withdrawn": Appearance(Tone.IDLE, "cancelled", "withdrawn"),
}
_BOXES = {
    "open": Appearance(Tone.WAIT, "scan", "open"),
    "created": Appearance(Tone.WAIT, "box", "not confirmed yet"),
    "confirmed": Appearance(Tone.GO, "ok", "confirmed"),
    "voided": Appearance(Tone.IDLE, "cancelled", "dissolved"),
}
_UNITS = {
    "counted": Appearance(Tone.WAIT, "scan", "counted"),
    "packed": Appearance(Tone.GO, "pack", "packed"),
    "voided": Appearance(Tone.WARN, "removed", "taken out"),
    "held": Appearance(Tone.STOP, "held", "held"),
    "returned": Appearance(Tone.IDLE, "again", "returned"),
}


INCOMPLETE = Appearance(Tone.WARN, "warning", "incomplete")
"""Of an order about which events are stored whose meaning is not counted yet."""
NOT_FOUND = Appearance(Tone.IDLE, "ready", "not found")


def order_look(status: str) -> Appearance:
    """Return the look of an order."""
    return _look(ORDER_LOOKS, status)


def box_look(state: str) -> Appearance:
    """Return the look of a box."""
    return _look(_BOXES, state)


def unit_look(state: str) -> Appearance:
    """Return the look of a device."""
    return _look(_UNITS, state)


def line_look(scanned: int, ordered: int) -> Appearance:
    """Return the look of a line of an order."""
    if scanned > ordered:
        return Appearance(Tone.STOP, "warning", "too many")
    if scanned == ordered:
        return Appearance(Tone.GO, "ok", "complete")
    return Appearance(Tone.WAIT, "scan", "under way") if scanned else Appearance(Tone.IDLE, "ready", "not begun")


def _look(looks: Mapping[str, Appearance], state: str) -> Appearance:
    return looks.get(state) or Appearance(Tone.IDLE, "ready", state.replace("_", " "))

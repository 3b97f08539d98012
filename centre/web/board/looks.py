"""How states are shown: a colour, an icon and a word, which always stand together."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

__all__ = ["INCOMPLETE", "NOT_FOUND", "ORDER_LOOKS", "Look", "Tone", "box_look", "line_look", "order_look", "unit_look"]


class Tone(StrEnum):
    """The colour of a state, by what it means."""

    GO = "go"
    WAIT = "wait"
    WARN = "warn"
    STOP = "stop"
    IDLE = "idle"


class Look(NamedTuple):
    """How a state is shown."""

    tone: Tone
    icon: str
    word: str


ORDER_LOOKS = {
    "open": Look(Tone.IDLE, "ready", "open"),
    "in_progress": Look(Tone.WAIT, "scan", "in progress"),
    "packed": Look(Tone.GO, "pack", "packed"),
    "cancelled": Look(Tone.STOP, "cancelled", "cancelled"),
    "withdrawn": Look(Tone.IDLE, "cancelled", "withdrawn"),
}
_BOXES = {
    "open": Look(Tone.WAIT, "scan", "open"),
    "created": Look(Tone.WAIT, "box", "not confirmed yet"),
    "confirmed": Look(Tone.GO, "ok", "confirmed"),
    "voided": Look(Tone.IDLE, "cancelled", "dissolved"),
}
_UNITS = {
    "counted": Look(Tone.WAIT, "scan", "counted"),
    "packed": Look(Tone.GO, "pack", "packed"),
    "voided": Look(Tone.WARN, "removed", "taken out"),
    "held": Look(Tone.STOP, "held", "held"),
    "returned": Look(Tone.IDLE, "again", "returned"),
}


INCOMPLETE = Look(Tone.WARN, "warning", "incomplete")
"""Of an order about which events are stored whose meaning is not counted yet."""
NOT_FOUND = Look(Tone.IDLE, "ready", "not found")


def order_look(status: str) -> Look:
    """Return the look of an order."""
    return _look(ORDER_LOOKS, status)


def box_look(state: str) -> Look:
    """Return the look of a box."""
    return _look(_BOXES, state)


def unit_look(state: str) -> Look:
    """Return the look of a device."""
    return _look(_UNITS, state)


def line_look(scanned: int, ordered: int) -> Look:
    """Return the look of a line of an order."""
    if scanned > ordered:
        return Look(Tone.STOP, "warning", "too many")
    if scanned == ordered:
        return Look(Tone.GO, "ok", "complete")
    return Look(Tone.WAIT, "scan", "under way") if scanned else Look(Tone.IDLE, "ready", "not begun")


def _look(looks: Mapping[str, Look], state: str) -> Look:
    return looks.get(state) or Look(Tone.IDLE, "ready", state.replace("_", " "))

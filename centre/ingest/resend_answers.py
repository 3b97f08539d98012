"""Read what a kiosk answers to `resend`: above all, which events it no longer has (`mqtt.md#requests`). Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import UNSET, DecodeError, ValidationError
from msgspec.json import Decoder

from agent.contract.responses import Response
from centre.ingest.reception import ResponseArrival
from centre.store.kiosk_rows import KioskName

__all__ = ["Asked", "Pruned", "ResendAnswer", "holes_of", "read_answer"]

_RESPONSE = Decoder(Response)


class Asked(NamedTuple):
    """A range that a kiosk was asked for, both ends included."""

    kiosk: KioskName
    journal: str
    first: int
    last: int


class ResendAnswer(NamedTuple):
    """What a kiosk answered."""

    ok: bool
    """False: it has no such journal, or cannot read it now."""
    last: int
    """The last event that it sends again; 0 if it has none in the range."""
    pruned: tuple[tuple[int, int], ...]
    """Within the range asked for."""


class Pruned(NamedTuple):
    """What a kiosk no longer has of a journal: a hole, or several."""

    kiosk: KioskName
    journal: str
    ranges: tuple[tuple[int, int], ...]


def read_answer(payload: bytes, asked: Asked) -> ResendAnswer | None:
    """Return the answer in a response; None if it cannot be read."""
    try:
        response = _RESPONSE.decode(payload)
        if not response.ok:
            return ResendAnswer(False, 0, ())
        last = 0 if response.last in (None, UNSET) else _number(response.last)
        pruned = () if response.pruned is UNSET else response.pruned
        ranges = [(_number(one.first), _number(one.last)) for one in pruned]
    except (DecodeError, ValidationError, ValueError, RecursionError):
        return None
    clipped = [(max(first, asked.first), min(end, asked.last)) for first, end in ranges]
    return ResendAnswer(True, last, tuple((first, end) for first, end in clipped if first <= end))


def _number(text: object) -> int:
    if not isinstance(text, str) or not (len(text) == 12 and text.isascii() and text.isdigit()):
        raise ValueError(f"no sequence: {text!r}")
    return int(text)


def holes_of(responses: Iterable[ResponseArrival], asked: Mapping[str, Asked]) -> list[Pruned]:
    """Return the holes that responses tell of. A response counts only from the kiosk that was asked."""
    found = []
    for response in responses:
        question = asked.get(response.transaction)
        if question is None or question.kiosk != response.kiosk:
            continue
        answer = read_answer(response.payload, question)
        if answer is not None and answer.pruned:
            found.append(Pruned(question.kiosk, question.journal, answer.pruned))
    return found

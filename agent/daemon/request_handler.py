"""Requests of the centre: `identify`, `health`, `resend`, `reload` (`mqtt.md#requests`)."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from msgspec.json import encode

from agent.contract.kiosk_health import KioskHealth
from agent.contract.requests import Request
from agent.contract.responses import Response, SequenceRange
from agent.journal import Journal

__all__ = ["RequestHandler"]

_log = logging.getLogger(__name__)

_REMEMBERED = 200
_SEQUENCE_DIGITS = 12
_SHOWN_CHARS = 64


class RequestHandler:
    """Used by one thread. A transaction seen before gets its first answer again, from memory.

    `respond` publishes the answer to a transaction. `identify` makes the lights blink, `reload` has the broker send
    everything again, `resend(first, last)` publishes the events at these positions again.
    """

    def __init__(
        self,
        *,
        respond: Callable[[str, bytes], None],
        health: Callable[[], KioskHealth],
        identify: Callable[[], None],
        reload: Callable[[], None],
        journal: Callable[[], Journal | None],
        resend: Callable[[int, int], None],
    ) -> None:
        self._respond = respond
        self._health = health
        self._identify = identify
        self._reload = reload
        self._journal = journal
        self._resend = resend
        self._answers: OrderedDict[str, bytes] = OrderedDict()

    def take(self, request: Request) -> None:
        """Carry out a request and answer it."""
        known = self._answers.get(request.transaction)
        if known is None:
            response = self._carry_out(request)
            known = encode(response)
            self._answers[request.transaction] = known
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
            _log.info("answered a request", extra={"request": response.request, "ok": response.ok})
        self._respond(request.transaction, known)

    def _carry_out(self, request: Request) -> Response:
        match request.name:
            case "identify":
                self._identify()
                return _done(request)
            case "health":
                return _done(request, health=self._health())
            case "reload":
                self._reload()
                return _done(request)
            case "resend":
                return self._send_again(request)
            case name:
                known = "identify, health, resend, reload"
                return _refused(request, f"unknown request {_shortened(name)!r}; known are {known}")

    def _send_again(self, request: Request) -> Response:
        journal = self._journal()
        if journal is None:
            return _refused(request, "the journal cannot be read now")
        name = request.fields.get("journal")
        bounds = [request.fields.get("from"), request.fields.get("through")]
        if not isinstance(name, str) or not all(map(_is_sequence, bounds)):
            digits = f"strings of at most {_SEQUENCE_DIGITS} digits"
            return _refused(request, f'resend wants "journal", and "from" and "through" as {digits}')
        if name not in journal.ids:
            ids = ", ".join(journal.ids)
            return _refused(request, f"this kiosk has no journal {_shortened(name)!r}; it has {ids}")
        wanted_first, wanted_last = (int(str(bound)) for bound in bounds)
        era_first, era_last = journal.span(name)
        first, last = max(wanted_first, 1), min(wanted_last, era_last - era_first + 1)
        if first > last:
            return _done(request, journal=name, first=None, last=None, pruned=())
        self._resend(era_first + first - 1, era_first + last - 1)
        pruned = tuple(
            SequenceRange(
                first=_sequence(max(low - era_first + 1, first)),
                last=_sequence(min(high - era_first + 1, last)),
            )
            for low, high in journal.pruned
            if high >= era_first + first - 1 and low <= era_first + last - 1
        )
        return _done(request, journal=name, first=_sequence(first), last=_sequence(last), pruned=pruned)


def _done(request: Request, **fields: Any) -> Response:
    return Response(transaction=request.transaction, request=_shortened(request.name), ok=True, **fields)


def _refused(request: Request, why: str) -> Response:
    return Response(transaction=request.transaction, request=_shortened(request.name), ok=False, error=why)


def _is_sequence(bound: object) -> bool:
    return isinstance(bound, str) and len(bound) <= _SEQUENCE_DIGITS and bound.isascii() and bound.isdigit()


def _sequence(number: int) -> str:
    return f"{number:012d}"


def _shortened(name: str) -> str:
    """Cut what came in: answers are remembered, and must not become long by it."""
    return name if len(name) <= _SHOWN_CHARS else f"{name[:_SHOWN_CHARS]}…"

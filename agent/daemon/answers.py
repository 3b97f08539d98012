"""Requests from the centre (SPEC 5.2): `identify`, `health`, `resend`, `reload`, answered by transaction."""

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from agent.contract.requests import Request
from agent.journal import Journal

__all__ = ["Requests"]

_log = logging.getLogger(__name__)

_REMEMBERED = 200
_SEQUENCE_DIGITS = 12
_SHOWN = 64


class Requests:
    """Answers each transaction once; one seen before is answered again from memory. For one thread.

    `identify` blinks, `reload` fetches everything from the broker anew, `resend(first, last)` sends positions again.
    """

    def __init__(
        self,
        *,
        respond: Callable[[str, bytes], None],
        health: Callable[[], Mapping[str, Any]],
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
            name = _shortened(request.name)
            answer = {"transaction": request.transaction, "request": name, **self._carry_out(request)}
            known = json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()
            self._answers[request.transaction] = known
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
            _log.info("request", extra={"name_": name, "ok": answer["ok"]})
        self._respond(request.transaction, known)

    def _carry_out(self, request: Request) -> dict[str, Any]:
        match request.name:
            case "identify":
                self._identify()
                return {"ok": True}
            case "health":
                return {"ok": True, "health": self._health()}
            case "reload":
                self._reload()
                return {"ok": True}
            case "resend":
                return self._send_again(request.fields)
            case _:
                return _wrong(
                    f"unknown request {_shortened(request.name)!r}; known are identify, health, resend, reload"
                )

    def _send_again(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        journal = self._journal()
        if journal is None:
            return _wrong("the journal cannot be read now")
        name = fields.get("journal")
        bounds = [fields.get("from"), fields.get("through")]
        if not isinstance(name, str) or not all(map(_is_sequence, bounds)):
            return _wrong(
                f'resend wants "journal", and "from" and "through" as strings of at most {_SEQUENCE_DIGITS} digits'
            )
        if name not in journal.ids:
            return _wrong(f"journal {_shortened(name)!r} is none of this kiosk's: {', '.join(journal.ids)}")
        wanted_first, wanted_last = (int(str(b)) for b in bounds)
        era_first, era_last = journal.span(name)
        first, last = max(wanted_first, 1), min(wanted_last, era_last - era_first + 1)
        if first > last:
            return {"ok": True, "journal": name, "from": None, "through": None, "pruned": []}
        self._resend(era_first + first - 1, era_first + last - 1)
        return {
            "ok": True,
            "journal": name,
            "from": f"{first:012d}",
            "through": f"{last:012d}",
            "pruned": [
                {
                    "from": f"{max(low, era_first + first - 1) - era_first + 1:012d}",
                    "through": f"{min(high, era_first + last - 1) - era_first + 1:012d}",
                }
                for low, high in journal.pruned
                if high >= era_first + first - 1 and low <= era_first + last - 1
            ],
        }


def _is_sequence(bound: object) -> bool:
    return isinstance(bound, str) and len(bound) <= _SEQUENCE_DIGITS and bound.isascii() and bound.isdigit()


def _shortened(name: str) -> str:
    """What was asked, fit for an answer: answers are remembered, so what comes in must not make them long."""
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def _wrong(why: str) -> dict[str, Any]:
    return {"ok": False, "error": why}

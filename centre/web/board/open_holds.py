"""Holds of orders and units that have not ended, as the kiosks tell of them, and the sentence about one. Pure."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from centre.store.story_rows import StoryRow
from centre.web.board.bench_facts import OpenHold

__all__ = ["hold_sentence", "open_holds"]


def hold_sentence(hold: OpenHold, order: str) -> str:
    """Return what is held, why, and what to do."""
    why = f": {hold.reason.rstrip('.')}" if hold.reason else ""
    if hold.unit is not None:
        return f"{hold.unit} must not ship{why}. Take it out (scan REMOVE, then the phone), or wait for its release."
    return f"Order {order} must not be packed{why}. Leave it until the centre releases it."


class _HoldData(Struct):
    verdict: str
    unit: str | None = None
    reason: str | None = None


class _HoldEvent(Struct):
    data: _HoldData


_hold = msgspec.json.Decoder(_HoldEvent)


def open_holds(events: Iterable[StoryRow]) -> dict[tuple[str, str, str], list[OpenHold]]:
    """Return the holds that have not ended, by site, kiosk and order, from the events about holds, oldest first."""
    found: dict[tuple[str, str, str], dict[str, OpenHold]] = {}
    for row in events:
        try:
            data = _hold.decode(row.document).data
        except ValueError:
            continue
        here = found.setdefault((row.site, row.kiosk, row.order_name or ""), {})
        if row.type == "kiosk.order.held.v1":
            here[data.verdict] = OpenHold(unit=data.unit, reason=data.reason)
        else:
            here.pop(data.verdict, None)
    return {place: list(holds.values()) for place, holds in found.items() if holds}

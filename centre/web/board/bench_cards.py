"""The page of benches: cards in the order of their urgency, and the totals above them. Pure, but for `load_board`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from centre.moments import moment
from centre.store.bench_rows import BenchRow, bench_rows, order_counts, packed_since, scans_since
from centre.store.story_rows import StoryRow, holds_of_orders, recent_events
from centre.web.board.bench_facts import Bench, OpenHold, RefusalCount
from centre.web.board.bench_reports import StationReport, health_of, station_of, status_of
from centre.web.board.bench_state import BenchState, bench_state
from centre.web.board.naming import Naming
from centre.web.board.open_holds import open_holds
from centre.web.board.page_times import PageClock
from centre.web.board.plain_words import plural, signal_icon, signal_words

__all__ = ["BenchBoard", "BenchCard", "Totals", "load_board", "make_board"]

REFUSALS_WITHIN = timedelta(minutes=5)
_MAX_REFUSALS = 500

Place = tuple[str, str, str]
"""Site, kiosk and station; or site, kiosk and order."""


class BenchCard(Struct, frozen=True, kw_only=True):
    """What the card of one bench shows."""

    name: str
    state: BenchState
    who: str
    order: str | None
    mode: str | None
    scanned: int
    ordered: int | None
    last: str
    last_icon: str
    changed_at: str | None
    backlog: str | None


class Totals(Struct, frozen=True, kw_only=True):
    """The line above the cards."""

    benches: int
    scans_last_hour: int
    packed_today: int
    open: int


class BenchBoard(Struct, frozen=True, kw_only=True):
    """The whole page."""

    totals: Totals
    urgent: Sequence[BenchCard]
    """What needs a person, the most urgent first."""
    quiet: Sequence[BenchCard]
    """What runs well, by name."""


def load_board(
    connection: Connection, clock: PageClock, sites: Sequence[str], naming: Naming, *, offline_s: float
) -> BenchBoard:
    """Read and judge all benches of these sites."""
    rows = bench_rows(connection, sites)
    refused = recent_events(
        connection, "kiosk.scan.rejected.v1", since=moment(clock.now - REFUSALS_WITHIN), limit=_MAX_REFUSALS
    )
    benches = benches_of(rows, refusals_by_place(refused, since=moment(clock.now - REFUSALS_WITHIN)))
    held = {bench.view.order for bench in benches if bench.view is not None and bench.view.held and bench.view.order}
    holds = open_holds(holds_of_orders(connection, held)) if held else {}
    totals = Totals(
        benches=len(benches),
        scans_last_hour=scans_since(connection, moment(clock.now - timedelta(hours=1))),
        packed_today=packed_since(connection, moment(clock.start_of_today())),
        open=sum(order_counts(connection).values()),
    )
    return make_board([_with_hold(bench, holds) for bench in benches], clock, totals, naming, offline_s=offline_s)


def make_board(
    benches: Sequence[Bench],
    clock: PageClock,
    totals: Totals,
    naming: Naming,
    *,
    offline_s: float,
) -> BenchBoard:
    """Judge benches and order their cards."""
    cards = [_card(bench, bench_state(bench, clock, offline_s=offline_s), naming) for bench in benches]
    cards.sort(key=lambda card: (card.state.rank, natural(card.name)))
    return BenchBoard(
        totals=totals,
        urgent=[card for card in cards if card.state.needs_person],
        quiet=[card for card in cards if not card.state.needs_person],
    )


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key by which dock-2 comes before dock-10."""
    parts: list[str] = [""]
    for character in name.casefold():
        if character.isdecimal() == parts[-1][-1:].isdecimal():
            parts[-1] += character
        else:
            parts.append(character)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


# -- from rows to benches --------------------------------------------------------------------------------------------


def benches_of(rows: Iterable[BenchRow], refusals: Mapping[Place, RefusalCount]) -> list[Bench]:
    """Return what is known of each station."""
    return [
        Bench(
            site=row.site,
            kiosk=row.kiosk,
            station=row.station or "",
            view=station_of(row.view),
            view_received_at=row.view_received_at,
            status=status_of(row.status),
            health=health_of(row.health),
            health_received_at=row.health_received_at,
            refusals=refusals.get((row.site, row.kiosk, row.station or "")),
        )
        for row in rows
    ]


class _Refused(Struct):
    station: str | None
    data: dict[str, Any]


_refused = msgspec.json.Decoder(_Refused)


def refusals_by_place(events: Iterable[StoryRow], *, since: str) -> dict[Place, RefusalCount]:
    """Return the refused scans of each bench since a moment, from `scan.rejected` events, newest first."""
    found: dict[Place, list[tuple[str, str | None, int, str]]] = {}
    for row in events:
        if row.time < since:
            continue  # an old scan that has only just come
        try:
            document = _refused.decode(row.document)
            scan = (str(document.data["reason"]), document.data.get("seen"), int(document.data.get("count", 1)))
        except (ValueError, TypeError, LookupError):
            continue
        found.setdefault((row.site, row.kiosk, document.station or ""), []).append((*scan, row.time))
    return {place: _summed(scans) for place, scans in found.items()}


def _summed(scans: Sequence[tuple[str, str | None, int, str]]) -> RefusalCount:
    reasons: Counter[str] = Counter()
    for reason, _, count, _ in scans:
        reasons[reason] += count
    ((worst, _),) = reasons.most_common(1)
    seen = next((seen for reason, seen, _, _ in scans if reason == worst and seen), None)
    return RefusalCount(count=reasons.total(), reason=worst, seen=seen, since=min(time for *_, time in scans))


def _with_hold(bench: Bench, holds: Mapping[Place, Sequence[OpenHold]]) -> Bench:
    if bench.view is None or not bench.view.held or bench.view.order is None:
        return bench
    here = holds.get((bench.site, bench.kiosk, bench.view.order))
    return msgspec.structs.replace(bench, hold=here[-1] if here else None)


# -- from benches to cards -------------------------------------------------------------------------------------------


def _card(bench: Bench, state: BenchState, naming: Naming) -> BenchCard:
    view = bench.view or StationReport()
    last = view.last
    backlog = bench.health.uplink.backlog if bench.health is not None else 0
    return BenchCard(
        name=naming.bench(bench.site, bench.kiosk, bench.station),
        state=state,
        who=_who(bench, view, naming),
        order=view.order,
        mode=view.mode,
        scanned=view.scanned or 0,
        ordered=view.ordered,
        last=_next_step(view) or (signal_words(last.signal, last.reason) if last else "no scan yet"),
        last_icon="wait" if _next_step(view) else signal_icon(last.signal) if last else "wait",
        changed_at=bench.changed_at,
        backlog=f"{plural(backlog, 'event')} not delivered" if backlog > 0 else None,
    )


def _who(bench: Bench, view: StationReport, naming: Naming) -> str:
    if not view.signed_in:
        return "nobody"
    return naming.operator(bench.site, view.operator) or "signed in"


def _next_step(view: StationReport) -> str | None:
    """Return what a bench waits for, where the state says it better than the last signal."""
    if not view.signed_in or (view.last is not None and view.last.reason is not None):
        return None
    if view.state == "boxing" and view.box is not None:
        wants_size = view.mode in ("distribution", "pos") and view.box.size is None
        return f"box of {view.box.units}: {'size' if wants_size else 'second SAVE'} wanted"
    return "CONFIRM wanted" if view.state == "packing" else None

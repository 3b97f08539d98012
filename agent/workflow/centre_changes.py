"""What the centre's messages do to the state: revisions, verdicts, operators that left the list (rules 1, 10; 5.4).

Pure, like a step, and made at the same desk; what comes out beside the events is alarms for stations.
"""

from collections.abc import Collection

from agent.contract.events import Cause, Held, LineCount, OrderRevised, Outcome, Released, SignedOut
from agent.contract.manifest import Manifest, Status, same_case
from agent.contract.reasons import Reason
from agent.contract.verdicts import Action, Verdict
from agent.workflow.context import Desk, line_counts
from agent.workflow.state import Order

__all__ = ["Alarm", "abandon", "delist", "judge", "revise"]

Alarm = tuple[str, Reason]
"""A station that must sound `alarm`, and why."""


def misfits(order: Order) -> tuple[LineCount, ...]:
    """Lines on which more is counted than ordered."""
    return line_counts(order, (line for line in order.lines() if order.pending_on(line) < 0))


def revise(desk: Desk, manifest: Manifest) -> list[Alarm]:
    """A manifest now in force, for an order that is known to the state; others concern the cache alone."""
    known = desk.state.orders.get(manifest.order)
    if known is None or not _is_news(known.manifest, manifest):
        return []
    station = desk.state.station_with(manifest.order)
    desk.record(_revised(manifest, (), station))
    found = misfits(desk.state.orders[manifest.order])
    if found:
        desk.undo()
        desk.record(_revised(manifest, found, station))
    order = desk.state.orders[manifest.order]
    if station is None or order.packed is not None:
        return []
    if manifest.status is not Status.OPEN:
        return [(station, Reason.ORDER_CLOSED)]
    return [(station, Reason.QUANTITY_MISMATCH)] if found else []


def _is_news(known: Manifest, manifest: Manifest) -> bool:
    """A withdrawn order comes back at any revision; else only a higher one counts, or the withdrawal itself."""
    if Status.WITHDRAWN in (known.status, manifest.status):
        return known.status is not manifest.status
    return manifest.revision > known.revision


def _revised(manifest: Manifest, found: tuple[LineCount, ...], station: str | None) -> OrderRevised:
    return OrderRevised(
        station=station,
        order=manifest.order,
        revision=manifest.revision,
        status=manifest.status,
        misfits=found,
        manifest=manifest.source,
    )


def judge(desk: Desk, verdict: Verdict) -> list[Alarm]:
    """A verdict, taken once per id and revision."""
    if verdict.revision <= desk.state.verdicts.get(verdict.id, 0):
        return []
    order = desk.state.orders.get(verdict.order)
    station = desk.state.station_with(verdict.order)
    if verdict.action is Action.HOLD and order is not None and _is_counted(order, verdict):
        if order.packed is None:
            desk.record(
                Held(
                    station=station,
                    verdict=verdict.id,
                    order=verdict.order,
                    unit=verdict.unit,
                    reason=verdict.reason,
                    revision=verdict.revision,
                )
            )
            return [(station, Reason.HELD)] if station is not None else []
        outcome = Outcome.ALREADY_PACKED
    elif verdict.action is Action.HOLD:
        outcome = Outcome.ALREADY_PACKED if verdict.order in desk.state.packed else Outcome.NOT_HERE
    else:
        outcome = _release_outcome(desk, order, verdict)
    desk.record(
        Released(
            station=station,
            verdict=verdict.id,
            order=verdict.order,
            unit=verdict.unit,
            reason=verdict.reason,
            outcome=outcome,
            revision=verdict.revision,
        )
    )
    return []


def _is_counted(order: Order, verdict: Verdict) -> bool:
    return same_case(verdict.unit) in order.counted


def _release_outcome(desk: Desk, order: Order | None, verdict: Verdict) -> Outcome:
    is_barred = any(verdict.id in verdicts for verdicts in desk.state.barred.values())
    if is_barred or (order is not None and verdict.id in order.holds):
        return Outcome.RELEASED
    if verdict.order in desk.state.packed or (order is not None and order.packed is not None):
        return Outcome.ALREADY_PACKED
    return Outcome.NOT_HERE


def delist(desk: Desk, listed: frozenset[str]) -> None:
    """Sign out, at every station, operators who are no longer on the list."""
    for name in sorted(desk.state.stations):
        station = desk.state.station(name)
        if station.operator is not None and station.operator not in listed:
            desk.record(SignedOut(station=name, by=station.operator, operator=station.operator, cause=Cause.DELISTED))


def abandon(desk: Desk, benches: Collection[str]) -> None:
    """Sign out at the stations that are no longer among the kiosk's: nobody can do it there any more, and an order
    left open at one must pass over to another (rule 2's `order_in_use`)."""
    for name in sorted(desk.state.stations):
        operator = desk.state.station(name).operator
        if operator is not None and name not in benches:
            desk.record(SignedOut(station=name, by=operator, operator=operator, cause=Cause.IDLE))

"""Journaling refused scans, and counting those of a scanner that sends too many (`mqtt.md#counted-refusals`)."""

from msgspec.structs import replace

from agent.contract.events import Rejected
from agent.contract.reasons import Reason, Seen
from agent.workflow.badge_privacy import badge_mark, may_be_badge, scanned_key
from agent.workflow.classify import escaped
from agent.workflow.context import StepContext
from agent.workflow.reply import Refusal, Reply
from agent.workflow.scan_classes import (
    Ambiguous,
    BadArgument,
    BoxLabel,
    OrderBarcode,
    Product,
    Recognised,
    ScanClass,
    Text,
    UnitScan,
)
from agent.workflow.state import Phase
from agent.workflow.transient_state import RefusalBurst

__all__ = ["JOURNALED_REFUSALS", "REFUSALS_S", "is_counted_mismatch", "record_rejected", "reject"]

JOURNALED_REFUSALS = 5
REFUSALS_S = 1.0
"""At most this many refusals of one scanner are journaled one by one in this time. One event counts the others."""


def record_rejected(
    context: StepContext,
    reason: Reason,
    *,
    seen: Seen | None = None,
    clears: tuple[str, ...] = (),
    hides: bool = False,
) -> Rejected:
    """Record the event that the scan is refused. `clears` names the pending steps that it uses up.

    `hides`: the code may be a badge, and is not told (`scanning.md#a-badge-never-leaves-the-kiosk`).
    """
    return context.emit(
        Rejected,
        reason=reason,
        code=badge_mark(scanned_key(context.data), context.badge_secret) if hides else escaped(context.data),
        seen=seen,
        symbology=context.symbology,
        scanner=context.scanner,
        order=context.station.order,
        clears=clears,
    )


def reject(context: StepContext, refusal: Refusal, scan: ScanClass) -> Reply:
    """Record one `scan.rejected`; if the scanner sends too many, keep it to be counted with others instead."""
    clears = _used_up(context, scan)
    burst = _burst(context)
    hides = may_be_badge(context, scan)
    rejected = record_rejected(context, refusal.reason, seen=refusal.seen, clears=clears, hides=hides)
    if burst.journaled < JOURNALED_REFUSALS or clears:
        _keep(context, replace(burst, journaled=burst.journaled + 1))
    else:
        _count(context, burst, rejected)
    return Reply(signal=refusal.signal, reason=refusal.reason)


def is_counted_mismatch(context: StepContext) -> bool:
    """Return whether a `quantity_mismatch` of PACK is counted with other refusals instead of being journaled.

    It has an event of its own, and so as many of them a second as of all other refusals together.
    """
    burst = _burst(context)
    if burst.mismatches < JOURNALED_REFUSALS:
        _keep(context, replace(burst, mismatches=burst.mismatches + 1))
        return False
    _count(context, burst, record_rejected(context, Reason.QUANTITY_MISMATCH))
    return True


def _burst(context: StepContext) -> RefusalBurst:
    """Return the refusals of the scanner within the last second. What was counted before that is recorded now."""
    burst = context.transient.bursts.get(context.scanner or "")
    if burst is None:
        return RefusalBurst(since=context.now)
    if context.now - burst.since < REFUSALS_S:
        return burst
    if burst.unwritten is not None:
        context.record(burst.unwritten)
    return RefusalBurst(since=context.now)


def _keep(context: StepContext, burst: RefusalBurst) -> None:
    context.transient.bursts = context.transient.bursts.set(context.scanner or "", burst)


def _count(context: StepContext, burst: RefusalBurst, rejected: Rejected) -> None:
    """Count the refusal that was recorded last, in the place of its record."""
    count = burst.unwritten.count + 1 if burst.unwritten is not None else 1
    _keep(context, replace(burst, unwritten=replace(rejected, count=count)))
    context.undo()


def _used_up(context: StepContext, scan: ScanClass) -> tuple[str, ...]:
    """Return the pending steps that a refused scan uses up: REMOVE is for one scan (`workflow.md#end-of-remove`), QTY
    for one product (`workflow.md#set-a-quantity`).
    """
    station = context.station
    if station.phase is not Phase.SCANNING:
        return ()
    if station.remove and (
        isinstance(scan, OrderBarcode | BoxLabel | Recognised | Text | UnitScan | Product)
        or (isinstance(scan, BadArgument) and scan.is_item)
        or (isinstance(scan, Ambiguous) and not scan.is_badge)
    ):
        return ("remove", "quantity") if station.quantity is not None else ("remove",)
    is_product = (
        isinstance(scan, Product)
        or (isinstance(scan, UnitScan) and scan.with_product)
        or (isinstance(scan, BadArgument) and scan.is_item)
    )
    return ("quantity",) if is_product and station.quantity is not None else ()

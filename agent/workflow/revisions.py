"""Revisions of manifests, for orders that were opened or counted here."""

from msgspec.structs import replace

from agent.contract.events import OrderRevised
from agent.contract.manifest import Manifest, Status
from agent.contract.reasons import Reason
from agent.workflow.event_limits import misfits_of
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.reply import Alarm
from agent.workflow.text_changes import changes_between

__all__ = ["take_revision"]


def take_revision(commit: PendingCommit, manifest: Manifest) -> list[Alarm]:
    """Record a manifest that the catalogue has taken (`workflow.md#manifest-revisions`); return the alarms to sound.

    A manifest of an order that the state does not know concerns the catalogue alone. An order that is closed while it
    is open at a station sounds `alarm` there (`workflow.md#closed-while-open`).
    """
    known = commit.state.orders.get(manifest.order)
    if known is None or not _is_news(known.manifest, manifest):
        return []
    manifest = manifest.closing(known.manifest)
    station = commit.state.station_with(manifest.order)
    revised = _revised(known.manifest, manifest, station)
    commit.record(revised)
    misfits = misfits_of(commit.state.orders[manifest.order])
    if misfits:
        # The event lists its misfits, and only the state after it tells them: record it again, with them.
        commit.undo()
        commit.record(replace(revised, misfits=misfits))
    order = commit.state.orders[manifest.order]
    if station is None or order.packed is not None:
        return []
    if manifest.status is not Status.OPEN:
        return [Alarm(station=station, reason=Reason.ORDER_CLOSED)]
    return [Alarm(station=station, reason=Reason.QUANTITY_MISMATCH)] if misfits else []


def _is_news(known: Manifest, manifest: Manifest) -> bool:
    """Return whether a manifest changes an order. A withdrawn order comes back at any revision."""
    if Status.WITHDRAWN in (known.status, manifest.status):
        return known.status is not manifest.status
    return manifest.revision > known.revision


def _revised(known: Manifest, manifest: Manifest, station: str | None) -> OrderRevised:
    """Return the event, with the differences to the known manifest: it may be large, and revisions many."""
    changes = changes_between(known.source, manifest.source)
    is_short = sum(len(change) + 4 if isinstance(change, str) else 12 for change in changes) < len(manifest.source)
    return OrderRevised(
        station=station,
        order=manifest.order,
        revision=manifest.revision,
        status=manifest.status,
        misfits=(),
        manifest=None if is_short else manifest.source,
        changes=changes if is_short else (),
    )

"""Taking in the manifests that a broker retains: see `centre.orders.adoption`. `adopted_row` is pure."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from agent.contract.schemas import MAX_REVISION
from centre.orders.manifest_check import CheckedManifest, ManifestRefused, checked_manifest, compact
from centre.orders.manifest_decision import new_order, next_status, same_content, with_known_fields
from centre.orders.publish_again import publish_again
from centre.orders.published_manifest import manifest_in_force, stored_document
from centre.orders.renewal import renew_messages
from centre.store.message_rows import RetainedMessage, load_message, save_messages
from centre.store.order_rows import OrderRow, OrderSource, load_orders, lock_orders, save_orders
from centre.store.site_rows import all_sites
from centre.unreadable import UNREADABLE

__all__ = ["FoundManifest", "FoundOrder", "NamedOrder", "adopt_orders", "adopted_row"]


class FoundOrder(Struct, frozen=True, kw_only=True):
    """What a broker retains on one topic of an order; an empty payload: nothing any longer."""

    topic: str
    site: str
    payload: bytes


class NamedOrder(Struct, frozen=True, kw_only=True):
    """An order that an index at the broker names."""

    revision: int
    sites: frozenset[str]
    is_ours: bool
    """Whether a centre wrote the index, and says that the manifest is its own."""


class FoundManifest(Struct, frozen=True, kw_only=True):
    """A manifest that a broker retains, at one or more sites."""

    sites: frozenset[str]
    revision: int
    manifest: CheckedManifest | None
    """None if no kiosk takes it, or if only an index names the order."""


class _Revision(Struct):
    revision: int


def adopt_orders(
    connection: Connection,
    broker: str,
    found: Mapping[str, Sequence[FoundOrder]],
    named: Mapping[str, NamedOrder],
    now: str,
    refused: list[str],
) -> int:
    """Take in manifests by order, and orders that only an index names; return how many orders have changed."""
    names = list(dict.fromkeys([*found, *named]))
    if not names:
        return 0
    sites = all_sites(connection)
    numbers = iter(lock_orders(connection, len(names)))
    rows = load_orders(connection, names)
    changed = []
    for name in names:
        number, row = next(numbers), rows.get(name)
        manifest = _found_manifest(name, found.get(name, ()), named.get(name), refused)
        is_ours = name in named and named[name].is_ours
        new = None
        if manifest is not None:
            new = adopted_row(name, row, manifest, is_ours=is_ours, sites=sites, changed=number, now=now)
        elif row is not None and row.source == "broker":
            new = _cleared_row(row, {one.site for one in found[name]}, sites, number, now)
        if new is not None:
            changed.append(new)
        elif row is not None and row.source == "centre":
            _insist(connection, broker, row, found.get(name, ()))
    save_orders(connection, changed)
    _keep_as_found(connection, changed, found)
    renew_messages(connection, [row.name for row in changed], now)
    return len(changed)


def _found_manifest(
    name: str, found: Sequence[FoundOrder], named: NamedOrder | None, refused: list[str]
) -> FoundManifest | None:
    """Return the manifest of the highest revision among those on an order's topics; None if all are empty."""
    best: FoundManifest | None = None
    for one in found:
        if not one.payload:
            continue
        manifest = _read(name, one, refused)
        revision = _revision_in(one.payload) or 0
        if best is None or revision > best.revision:
            best = FoundManifest(sites=frozenset([one.site]), revision=revision, manifest=manifest)
        elif revision == best.revision:
            best = replace(best, sites=best.sites | {one.site}, manifest=best.manifest or manifest)
    if best is None and named is not None and not found:
        return FoundManifest(sites=named.sites, revision=named.revision, manifest=None)
    return best


def _read(name: str, found: FoundOrder, refused: list[str]) -> CheckedManifest | None:
    try:
        manifest = checked_manifest(name, found.payload)
    except ManifestRefused as exc:
        refused.append(f"{found.topic}: {exc}")
        return None
    if manifest.revision is None or manifest.status is None:
        refused.append(f"{found.topic}: revision and status are required")
        return None
    return manifest


def _revision_in(payload: bytes) -> int | None:
    try:
        revision = msgspec.json.decode(payload, type=_Revision).revision
    except UNREADABLE:
        return None
    return revision if 0 <= revision < MAX_REVISION else None


def adopted_row(
    name: str,
    row: OrderRow | None,
    found: FoundManifest,
    *,
    is_ours: bool,
    sites: Collection[str],
    changed: int,
    now: str,
) -> OrderRow | None:
    """Return the order's row after a manifest was found at a broker; None if it stays as it is.

    `is_ours`: a centre's index says that the manifest is a centre's own.
    """
    source: OrderSource = "centre" if is_ours else "broker"
    if row is None:
        row = replace(new_order(name, changed, now), source=source, site=_site(found.sites, sites))
        new: OrderRow | None = _with_found(row, found)
    else:
        if row.source == "kiosk":
            row = replace(row, source=source)
        new = _after(row, found, sites)
    return None if new is None else replace(new, version=row.version + 1, changed=changed, changed_at=now)


def _after(row: OrderRow, found: FoundManifest, sites: Collection[str]) -> OrderRow | None:
    """Return a known order's row, with the old version; None if it stays as it is."""
    present = -1 if row.revision is None else row.revision
    is_other = found.revision == present and found.manifest is not None and _differs(row, found.manifest)
    is_back = row.source == "broker" and row.status == "withdrawn" and found.manifest is not None
    is_withdrawn_here = row.source == "centre" and row.status == "withdrawn"
    is_first = row.manifest is None and found.manifest is not None and not is_withdrawn_here
    site = _widened(row, found, sites, is_other=is_other)
    if found.revision > present or is_back or is_first or (is_other and row.source == "broker"):
        new = _with_found(replace(row, site=site), found)
        # Kiosks may have a higher revision, which the centre knows from their events alone.
        is_behind = row.source == "centre" and found.revision < present
        return replace(new, revision=max(new.revision or 0, present + 1)) if is_behind else new
    if is_other and row.status != "withdrawn" and row.cleared_at is None:
        return replace(row, revision=present + 1)
    return None if site == row.site else replace(row, site=site)


def _with_found(row: OrderRow, found: FoundManifest) -> OrderRow:
    manifest = found.manifest
    if manifest is None:
        # Kiosks may have it, although it is gone or cannot be read: ours must be above it.
        is_published = row.source == "centre" and row.manifest is not None
        return replace(row, revision=found.revision + 1 if is_published else found.revision)
    stored = stored_document(row)
    before = stored.get("reopen") or 0
    reopen = max(manifest.reopen or 0, before)
    status = next_status(row, manifest, is_reopened=reopen > before)
    document = {**with_known_fields(manifest, stored), **({"reopen": reopen} if reopen else {})}
    shown = "open" if status == "in_progress" else status
    is_as_found = row.source == "broker" or (shown, reopen) == (manifest.status, manifest.reopen or 0)
    return replace(
        row,
        # What goes out in place of the manifest that was found needs a higher revision than that.
        revision=found.revision if is_as_found else found.revision + 1,
        manifest=compact(document).decode(),
        status=status,
        packed_at=row.packed_at if status in ("packed", "cancelled") else None,
        cleared_at=None,
    )


def _site(found: Collection[str], sites: Collection[str]) -> str | None:
    """Return the site of an order that is retained at these sites; None: all."""
    return next(iter(found)) if len(found) == 1 and len(sites) > 1 else None


def _widened(row: OrderRow, found: FoundManifest, sites: Collection[str], *, is_other: bool) -> str | None:
    """Return the order's site: the same manifest at another site makes it an order for all sites."""
    if row.site is None or not found.sites - {row.site} or len(sites) < 2:
        return row.site
    is_same = found.revision == row.revision and found.manifest is not None and not is_other
    return None if is_same or row.source == "broker" else row.site


def _differs(row: OrderRow, manifest: CheckedManifest) -> bool:
    present = manifest_in_force(row)
    if present is None:
        return True
    if manifest.status != present["status"] or (manifest.reopen or 0) != (present.get("reopen") or 0):
        return True
    return not same_content(with_known_fields(manifest, stored_document(row)), present)


def _cleared_row(
    row: OrderRow, cleared: Collection[str], sites: Collection[str], changed: int, now: str
) -> OrderRow | None:
    """Return the row of another system's order after it was cleared at sites; None if it stays as it is."""
    if row.status == "withdrawn" or (row.site is not None and row.site not in cleared):
        return None
    left = [site for site in sites if site not in cleared] if row.site is None else []
    if len(left) > 1:
        return None
    row = replace(row, site=left[0]) if left else replace(row, status="withdrawn")
    return replace(row, version=row.version + 1, changed=changed, changed_at=now)


# -- what is published in answer -----------------------------------------------------------------------------------


def _insist(connection: Connection, broker: str, row: OrderRow, found: Sequence[FoundOrder]) -> None:
    """Have the centre's own message go out again where the broker has another one that is not adopted."""
    for one in found:
        message = load_message(connection, one.topic)
        if message is None:
            is_gone = row.status == "withdrawn" or row.cleared_at is not None
            if is_gone and one.payload:
                message = RetainedMessage(topic=one.topic, payload=b"", site=one.site, order_name=row.name)
                save_messages(connection, [message])
        elif message.payload != one.payload:
            publish_again(connection, broker, one.topic)


def _keep_as_found(connection: Connection, rows: Sequence[OrderRow], found: Mapping[str, Sequence[FoundOrder]]) -> None:
    """Take adopted manifests of the centre's own for what it has published: it need not publish them again."""
    save_messages(
        connection,
        [
            RetainedMessage(topic=one.topic, payload=one.payload, site=one.site, order_name=row.name)
            for row in rows
            if row.source == "centre"
            for one in found.get(row.name, ())
            if one.payload and _revision_in(one.payload) is not None
        ],
    )

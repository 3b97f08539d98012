"""The one way in for manifests: every source uses `put` or `put_all`.

What happens to a manifest is decided by `decide`, which is pure. The rest reads rows, writes rows, and renews the
messages to the kiosks in the same transaction.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from agent.contract.schemas import MAX_REVISION
from centre.centre_errors import Refused
from centre.orders.manifest_check import (
    CheckedManifest,
    Document,
    FieldError,
    ManifestRefused,
    checked_manifest,
    compact,
)
from centre.orders.published_manifest import stored_document
from centre.orders.renewal import renew_messages
from centre.store.audit_rows import add_audit
from centre.store.order_event_rows import seen_revisions
from centre.store.order_rows import OrderRow, OrderStatus, load_orders, lock_orders, save_orders
from centre.store.site_rows import all_sites

__all__ = ["KEEP_SITE", "GivenManifest", "Put", "RevisionConflict", "decide", "put", "put_all"]

KEEP_SITE = "*"
"""In place of a site, which is never called that: the order stays where it is; a new one is for all sites."""

Outcome: TypeAlias = Literal["created", "changed", "unchanged"]


class RevisionConflict(Refused):
    """The revision is lower than the present one, or as high with other content."""

    def __init__(self, order: str, given: int, present: int) -> None:
        super().__init__(f"order {order!a}: revision {given} is given, but revision {present} is in force")
        self.order = order
        self.given = given
        self.present = present


class Put(Struct, frozen=True):
    """What became of a manifest."""

    outcome: Outcome
    revision: int


class GivenManifest(Struct, frozen=True, kw_only=True):
    """A manifest on its way in."""

    manifest: CheckedManifest
    site: str | None
    """None: for all sites; or `KEEP_SITE`."""


def put(
    connection: Connection,
    order: str,
    document: bytes | Document,
    *,
    site: str | None,
    actor: str,
    now: str,
) -> Put:
    """Store a manifest and renew the order's messages. `now` is moment text.

    Raises ManifestRefused or RevisionConflict; then nothing has changed.
    """
    given = GivenManifest(manifest=checked_manifest(order, document), site=site)
    (done,) = put_all(connection, [given], now=now)
    if done.outcome != "unchanged":
        add_audit(connection, now, actor, "order.put", order, {"outcome": done.outcome, "revision": done.revision})
    return done


def put_all(connection: Connection, given: Sequence[GivenManifest], *, now: str) -> list[Put]:
    """Store manifests of different orders as `put` does, but for the audit; the results are in the same order."""
    _check_sites(given, all_sites(connection))
    numbers = iter(lock_orders(connection, len(given)))
    names = [one.manifest.order for one in given]
    known = load_orders(connection, names)
    seen = seen_revisions(connection, [name for name, row in known.items() if row.revision is None])
    results, changed = [], []
    for one in given:
        row = known.get(one.manifest.order)
        done, new = decide(row, one, seen=seen.get(one.manifest.order, 0), changed=next(numbers), now=now)
        results.append(done)
        if new is not None:
            changed.append(new)
    save_orders(connection, changed)
    renew_messages(connection, [row.name for row in changed], now)
    return results


def _check_sites(given: Sequence[GivenManifest], known: list[str]) -> None:
    for one in given:
        if one.site not in (None, KEEP_SITE) and one.site not in known:
            expected = f"Must be one of {', '.join(known)}"
            raise ManifestRefused(one.manifest.order, [FieldError("site", expected)])


def decide(
    row: OrderRow | None, given: GivenManifest, *, seen: int, changed: int, now: str
) -> tuple[Put, OrderRow | None]:
    """Return what becomes of a manifest, and the order's new row; None if nothing changes.

    `row` is the order's present row, `seen` the highest revision that kiosks have told of an order without a
    manifest, `changed` the number for the new row. Raises RevisionConflict.

    - The same content again is no new revision, unless a higher one is given.
    - An order that was packed stays packed until a higher `reopen` comes: systems send all their orders again and
      again, as open. What comes without a status leaves the status as it is.
    - A tombstone without lines keeps the lines that are known.
    """
    manifest = given.manifest
    if row is None:
        row = _new_row(manifest.order, changed, now)
        outcome: Outcome = "created"
    else:
        outcome = "created" if row.manifest is None else "changed"
    present = max(row.revision or 0, seen)
    stored = stored_document(row)
    document = _with_known_fields(manifest, stored)
    site = row.site if given.site == KEEP_SITE else given.site
    reopen = max(manifest.reopen or 0, stored.get("reopen") or 0)
    status = _status(row, manifest, is_reopened=reopen > (stored.get("reopen") or 0))
    is_same = (
        row.manifest is not None
        and _content(document) == _content(stored)
        and (site, status, reopen) == (row.site, row.status, stored.get("reopen") or 0)
    )
    if is_same and manifest.revision in (None, row.revision, stored.get("revision")):
        # Another system's manifest becomes the centre's own when the same is put here.
        return Put("unchanged", present), replace(row, source="centre") if row.source == "broker" else None
    if manifest.revision is not None and manifest.revision <= present and row.manifest is not None:
        raise RevisionConflict(row.name, manifest.revision, present)
    is_above = manifest.revision is not None and manifest.revision >= present
    revision = manifest.revision if is_above and manifest.revision is not None else present + 1
    if revision > MAX_REVISION:
        raise ManifestRefused(row.name, [FieldError("revision", "There is no higher one than the present one")])
    if reopen:
        if reopen > revision:
            raise ManifestRefused(row.name, [FieldError("reopen", f"Is above revision {revision}")])
        document = {**document, "reopen": reopen}
    packed_at = (row.packed_at or now) if status == "packed" else row.packed_at
    new = replace(
        row,
        site=site,
        source="centre",
        revision=revision,
        manifest=compact(document).decode(),
        status=status,
        version=row.version + 1,
        changed=changed,
        changed_at=now,
        packed_at=packed_at if status in ("packed", "cancelled") else None,
        cleared_at=None if status != row.status else row.cleared_at,
    )
    return Put(outcome, revision), new


def _new_row(order: str, changed: int, now: str) -> OrderRow:
    return OrderRow(
        name=order,
        site=None,
        source="centre",
        revision=None,
        manifest=None,
        status="open",
        version=0,
        changed=changed,
        changed_at=now,
    )


def _with_known_fields(manifest: CheckedManifest, stored: Document) -> Document:
    """Return the document; a tombstone has the fields of the known manifest that it does not name."""
    if "lines" in manifest.document:
        return manifest.document
    known = {name: stored[name] for name in ("type", "lines", "barcodes", "operators", "counted") if name in stored}
    return {**known, **manifest.document}


def _content(document: Document) -> Document:
    """Return what two revisions are compared by."""
    return {name: value for name, value in document.items() if name not in ("revision", "status", "reopen")}


def _status(row: OrderRow, manifest: CheckedManifest, *, is_reopened: bool) -> OrderStatus:
    if manifest.status in ("packed", "cancelled"):
        return manifest.status
    if not is_reopened:
        if row.status == "cancelled" and manifest.status is None:
            return "cancelled"
        if row.status == "packed" or row.packed_at is not None:
            return "packed"
    return "open" if row.opened_at is None else "in_progress"

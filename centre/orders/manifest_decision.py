"""What becomes of a manifest that comes in. Pure: the order's row and the manifest in, the new row out."""

from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from agent.contract.schemas import MAX_REVISION
from centre.centre_errors import Refused
from centre.orders.manifest_check import CheckedManifest, Document, FieldError, ManifestRefused, compact
from centre.orders.published_manifest import stored_document
from centre.store.order_rows import OrderRow, OrderStatus

__all__ = [
    "KEEP_SITE",
    "GivenManifest",
    "Outcome",
    "Put",
    "RevisionConflict",
    "decide",
    "new_order",
    "next_status",
    "same_content",
    "with_known_fields",
]

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
        row = new_order(manifest.order, changed, now)
        outcome: Outcome = "created"
    else:
        outcome = "created" if row.manifest is None else "changed"
    present = max(row.revision or 0, seen)
    stored = stored_document(row)
    document = with_known_fields(manifest, stored)
    site = row.site if given.site == KEEP_SITE else given.site
    reopen = max(manifest.reopen or 0, stored.get("reopen") or 0)
    status = next_status(row, manifest, is_reopened=reopen > (stored.get("reopen") or 0))
    is_same = (
        row.manifest is not None
        and same_content(document, stored)
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


def new_order(order: str, changed: int, now: str) -> OrderRow:
    """Return the row of an order of which nothing is known yet."""
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


def with_known_fields(manifest: CheckedManifest, stored: Document) -> Document:
    """Return the document; a tombstone has the fields of the known manifest that it does not name."""
    if "lines" in manifest.document:
        return manifest.document
    known = {name: stored[name] for name in ("type", "lines", "barcodes", "operators", "counted") if name in stored}
    return {**known, **manifest.document}


def same_content(one: Document, other: Document) -> bool:
    """Return whether two manifests are equal but for `revision`, `status` and `reopen`."""
    return _content(one) == _content(other)


def _content(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in ("revision", "status", "reopen")}


def next_status(row: OrderRow, manifest: CheckedManifest, *, is_reopened: bool) -> OrderStatus:
    """Return the order's status after a manifest; `is_reopened`: its `reopen` is higher than the one before."""
    if manifest.status in ("packed", "cancelled"):
        return manifest.status
    if not is_reopened:
        if row.status == "cancelled" and manifest.status is None:
            return "cancelled"
        if row.status == "packed" or row.packed_at is not None:
            return "packed"
    return "in_progress" if row.status == "in_progress" or row.opened_at is not None else "open"

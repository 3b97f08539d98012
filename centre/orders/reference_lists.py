"""Box sizes and blocked units of a site: reading them, and putting them in force. Operators have their own module.

A put replaces the whole list, or one part of the blocked units. It gets a new revision, and goes out to the kiosks,
only if its content has changed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from agent.contract.messages import blocked_of, boxes_of
from agent.contract.schemas import MAX_REVISION
from centre.centre_errors import Refused
from centre.orders.manifest_check import FieldError, compact
from centre.orders.order_topics import blocked_topic, boxes_topic
from centre.orders.reference_check import Items, ReferenceRefused, check_part, check_site, checked_items
from centre.store.audit_rows import add_audit
from centre.store.counter_rows import advance
from centre.store.message_rows import RetainedMessage, save_messages
from centre.store.reference_rows import (
    ReferenceKind,
    ReferenceRow,
    load_reference,
    parts_of_reference,
    save_reference,
)

__all__ = [
    "MAX_PARTS",
    "ReferencePut",
    "list_message",
    "lock_reference",
    "next_reference_revision",
    "parse_blocked",
    "parse_boxes",
    "put_all_blocked",
    "put_blocked",
    "put_boxes",
    "read_blocked",
    "read_boxes",
    "save_list",
]

MAX_PARTS = 256
"""A kiosk keeps no more parts of the blocked units (`mqtt.md#bounded-memory`)."""

PART_ITEMS = 3500
"""How many identifiers an imported part takes: with the longest ones it stays below 256 KiB."""


class ReferencePut(Struct, frozen=True):
    """What became of a list."""

    is_changed: bool
    revision: int


def lock_reference(connection: Connection) -> None:
    """Let no other transaction change reference data until this one ends."""
    advance(connection, "reference")


def next_reference_revision(present: int) -> int:
    """Return the revision after the present one."""
    if present >= MAX_REVISION:
        raise Refused("the list has the highest revision there is: clear its topic at the brokers, then put it again")
    return present + 1


def parse_boxes(payload: bytes) -> object:
    """Read a message of box sizes as a kiosk does. Raises MessageRefused."""
    return boxes_of(payload, topic="box sizes")


def parse_blocked(payload: bytes) -> object:
    """Read a message of blocked units as a kiosk does. Raises MessageRefused."""
    return blocked_of("part", payload, topic="blocked units")


def list_message(revision: int, items: object) -> bytes:
    """Return the message of a list without further fields."""
    return compact({"revision": revision, "items": items})


def save_list(
    connection: Connection, site: str, kind: ReferenceKind, part: str, items: object, *, revision: int, now: str
) -> None:
    """Store box sizes or blocked units under a revision, and publish them."""
    topic = boxes_topic(site) if kind == "boxes" else blocked_topic(site, part)
    document = compact({"items": items}).decode()
    save_reference(
        connection,
        ReferenceRow(site=site, kind=kind, part=part, revision=revision, document=document, changed_at=now),
    )
    save_messages(connection, [RetainedMessage(topic=topic, payload=list_message(revision, items), site=site)])


def _read(row: ReferenceRow | None) -> dict[str, Any]:
    if row is None:
        return {"revision": 0, "items": []}
    return {"revision": row.revision, "items": msgspec.json.decode(row.document)["items"]}


def _put(
    connection: Connection,
    site: str,
    kind: ReferenceKind,
    part: str,
    items: object,
    parse: Callable[[bytes], object],
    *,
    actor: str,
    now: str,
) -> ReferencePut:
    name = "box sizes" if kind == "boxes" else "blocked units"
    check_site(connection, site)
    checked_items(name, items, parse)
    lock_reference(connection)
    present = load_reference(connection, site, kind, part)
    if present is not None and _read(present)["items"] == msgspec.json.decode(compact({"items": items}))["items"]:
        return ReferencePut(is_changed=False, revision=present.revision)
    revision = next_reference_revision(present.revision if present is not None else 0)
    save_list(connection, site, kind, part, items, revision=revision, now=now)
    add_audit(connection, now, actor, f"{kind}.put", f"{site}/{part}".rstrip("/"), {"revision": revision})
    return ReferencePut(is_changed=True, revision=revision)


# -- box sizes ---------------------------------------------------------------------------------------------------


def read_boxes(connection: Connection, site: str) -> dict[str, Any]:
    """Return `revision` (0: none yet) and `items` of the box sizes."""
    return _read(load_reference(connection, site, "boxes"))


def put_boxes(connection: Connection, site: str, items: Items, *, actor: str, now: str) -> ReferencePut:
    """Put box sizes in force. Raises ReferenceRefused."""
    return _put(connection, site, "boxes", "", items, parse_boxes, actor=actor, now=now)


# -- blocked units -----------------------------------------------------------------------------------------------


def read_blocked(connection: Connection, site: str, part: str) -> dict[str, Any]:
    """Return `revision` (0: none yet) and `items` of a part of the blocked units."""
    return _read(load_reference(connection, site, "blocked", part))


def put_blocked(
    connection: Connection, site: str, part: str, items: Sequence[str], *, actor: str, now: str
) -> ReferencePut:
    """Put one part of the blocked units in force. Raises ReferenceRefused."""
    check_part(part)
    known = parts_of_reference(connection, site, "blocked")
    if part not in known and len(known) >= MAX_PARTS:
        raise ReferenceRefused("blocked units", [FieldError("part", f"There are {MAX_PARTS} parts already")])
    return _put(connection, site, "blocked", part, items, parse_blocked, actor=actor, now=now)


def put_all_blocked(
    connection: Connection, site: str, identifiers: Iterable[str], *, prefix: str, actor: str, now: str
) -> Mapping[str, ReferencePut]:
    """Put a list of any length in force, in as many parts as it needs: `prefix`, `prefix-1`, `prefix-2` …

    Parts of these names that are no longer needed become empty. Raises ReferenceRefused.
    """
    items = list(dict.fromkeys(identifiers))
    pieces = [items[start : start + PART_ITEMS] for start in range(0, len(items), PART_ITEMS)] or [[]]
    wanted = {f"{prefix}-{number}" if number else prefix: piece for number, piece in enumerate(pieces)}
    for part in parts_of_reference(connection, site, "blocked"):
        if part.rpartition("-")[0] == prefix and part.rpartition("-")[2].isdigit():
            wanted.setdefault(part, [])
    return {part: put_blocked(connection, site, part, piece, actor=actor, now=now) for part, piece in wanted.items()}

"""The operators of a site: reading them, and putting them in force.

Badges are stored and published as salted hashes alone (`agent.contract.operators.badge_key`). Names are stored in the
table of operators alone, and not published: a kiosk has no use for them.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from agent.contract.messages import operators_of
from agent.contract.operators import badge_key
from agent.contract.reference_flaws import trimmed
from centre.orders.manifest_check import Document, FieldError, compact
from centre.orders.order_topics import operators_topic
from centre.orders.reference_check import Items, ReferenceRefused, check_site, checked_items
from centre.orders.reference_lists import ReferencePut, lock_reference, next_reference_revision
from centre.store.audit_rows import add_audit
from centre.store.message_rows import RetainedMessage, save_messages
from centre.store.operator_rows import OperatorRow, load_operators, replace_operators
from centre.store.reference_rows import ReferenceRow, load_reference, save_reference

__all__ = ["new_salt", "operators_message", "put_operators", "read_operators", "save_operators", "stored_salt"]


def new_salt() -> str:
    """Return a random salt."""
    return secrets.token_hex(16)


def stored_salt(row: ReferenceRow) -> str:
    """Return the salt that a site's badges are hashed with."""
    return str(msgspec.json.decode(row.document)["salt"])


def operators_message(revision: int, salt: str, rows: Sequence[OperatorRow]) -> bytes:
    """Return the message to the kiosks."""
    items = [
        {"operator": row.operator, "badges": row.badges, **({} if row.roles is None else {"roles": row.roles})}
        for row in rows
    ]
    return compact({"revision": revision, "salt": salt, "items": items})


def read_operators(connection: Connection, site: str) -> dict[str, Any]:
    """Return `revision` (0: none yet) and `items`, without badges: they can be written, never read."""
    row = load_reference(connection, site, "operators")
    items = [
        {"operator": one.operator, "name": one.name, "roles": one.roles} for one in load_operators(connection, site)
    ]
    return {"revision": 0 if row is None else row.revision, "items": items}


def save_operators(
    connection: Connection, site: str, rows: Sequence[OperatorRow], *, salt: str, revision: int, now: str
) -> None:
    """Store operators under a revision, and publish them."""
    replace_operators(connection, site, rows)
    document = compact({"salt": salt}).decode()
    save_reference(
        connection,
        ReferenceRow(site=site, kind="operators", revision=revision, document=document, changed_at=now),
    )
    payload = operators_message(revision, salt, rows)
    save_messages(connection, [RetainedMessage(topic=operators_topic(site), payload=payload, site=site)])


def put_operators(
    connection: Connection, site: str, items: Items, *, salt: str | None = None, actor: str, now: str
) -> ReferencePut:
    """Put operators in force: the list replaces the present one. Raises ReferenceRefused.

    An item is `{"operator", "name", "badges", "roles"}`. One without `badges` keeps those it has. Badges are texts;
    with `salt` they are hashes of that salt.
    """
    check_site(connection, site)
    more = {} if salt is None else {"salt": salt}
    checked_items("operators", items, lambda payload: operators_of(payload, topic="operators"), **more)
    lock_reference(connection)
    row = load_reference(connection, site, "operators")
    present = load_operators(connection, site)
    used = stored_salt(row) if row is not None else None
    if salt is not None and salt != used:
        _check_all_have_badges(items, present)
        used = salt
    used = used or new_salt()
    rows = _rows(items, {one.operator: one for one in present}, used, are_hashed=salt is not None)
    if row is not None and rows == present and used == stored_salt(row):
        return ReferencePut(is_changed=False, revision=row.revision)
    revision = next_reference_revision(0 if row is None else row.revision)
    if len(operators_message(revision, used, rows)) > 256 * 1024:
        raise ReferenceRefused("operators", [FieldError("items", "Too many badges for one message of 256 KiB")])
    save_operators(connection, site, rows, salt=used, revision=revision, now=now)
    add_audit(connection, now, actor, "operators.put", site, {"revision": revision})
    return ReferencePut(is_changed=True, revision=revision)


def _check_all_have_badges(items: Items, present: Sequence[OperatorRow]) -> None:
    """Raise ReferenceRefused if an operator would keep badges that are hashed with another salt."""
    kept = {one.operator for one in present if one.badges}
    wrong = [
        FieldError(f"items.{place}.badges", "Field required: the present ones are hashed with another salt")
        for place, item in enumerate(items)
        if item.get("badges") is None and item["operator"] in kept
    ]
    if wrong:
        raise ReferenceRefused("operators", wrong)


def _rows(items: Items, present: Mapping[str, OperatorRow], salt: str, *, are_hashed: bool) -> list[OperatorRow]:
    return [_row(item, present.get(item["operator"]), salt, are_hashed=are_hashed) for item in items]


def _row(item: Document, present: OperatorRow | None, salt: str, *, are_hashed: bool) -> OperatorRow:
    badges = item.get("badges")
    if badges is None:
        hashes = () if present is None else present.badges
    elif are_hashed:
        hashes = tuple(dict.fromkeys(badges))
    else:
        hashes = tuple(dict.fromkeys(badge_key(trimmed(badge), salt) for badge in badges))
    roles = item.get("roles")
    return OperatorRow(
        operator=item["operator"],
        name=item.get("name"),
        badges=hashes,
        roles=None if roles is None else tuple(roles),
    )

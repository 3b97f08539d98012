"""Taking in operators, box sizes and blocked units that a broker retains: see `centre.orders.adoption`."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection

from agent.contract.messages import blocked_of, boxes_of, operators_of
from agent.contract.operators import badge_key
from agent.contract.reference_flaws import trimmed
from agent.contract.refused import MessageRefused
from agent.contract.schemas import MAX_REVISION
from centre.orders.manifest_check import unstorable_texts
from centre.orders.operator_list import new_salt, operators_message, save_operators, stored_salt
from centre.orders.order_topics import blocked_topic, boxes_topic, operators_topic
from centre.orders.publish_again import publish_again
from centre.orders.reference_lists import lock_reference, save_list
from centre.store.operator_rows import OperatorRow, load_operators
from centre.store.reference_rows import ReferenceKind, load_reference

__all__ = ["adopt_blocked", "adopt_boxes", "adopt_operators"]


def _read(payload: bytes, parse: Callable[[bytes], object], refused: list[str], topic: str) -> dict[str, Any] | None:
    """Return a list's message; None if there is none, or if no kiosk takes it."""
    if not payload:
        return None
    try:
        parse(payload)
    except MessageRefused as exc:
        refused.append(str(exc))
        return None
    document: dict[str, Any] = msgspec.json.decode(payload)
    if unstorable_texts(document):
        refused.append(f"{topic}: a text in it cannot be stored")
        return None
    return document


# -- box sizes and blocked units -----------------------------------------------------------------------------------


def adopt_boxes(connection: Connection, broker: str, site: str, payload: bytes, now: str, refused: list[str]) -> None:
    """Take in box sizes."""
    topic = boxes_topic(site)
    found = _read(payload, lambda text: boxes_of(text, topic=topic), refused, topic)
    _adopt_list(connection, broker, site, "boxes", "", topic, found, now)


def adopt_blocked(
    connection: Connection, broker: str, site: str, part: str, payload: bytes, now: str, refused: list[str]
) -> None:
    """Take in a part of the blocked units."""
    topic = blocked_topic(site, part)
    found = _read(payload, lambda text: blocked_of(part, text, topic=topic), refused, topic)
    _adopt_list(connection, broker, site, "blocked", part, topic, found, now)


def _adopt_list(
    connection: Connection,
    broker: str,
    site: str,
    kind: ReferenceKind,
    part: str,
    topic: str,
    found: dict[str, Any] | None,
    now: str,
) -> None:
    lock_reference(connection)
    present = load_reference(connection, site, kind, part)
    if found is None:
        publish_again(connection, broker, topic)
    elif present is None or found["revision"] > present.revision:
        save_list(connection, site, kind, part, found["items"], revision=found["revision"], now=now)
    else:
        items = msgspec.json.decode(present.document)["items"]
        if found["revision"] < present.revision:
            publish_again(connection, broker, topic)
        elif found["items"] != items:
            save_list(connection, site, kind, part, items, revision=_above(present.revision), now=now)


def _above(revision: int) -> int:
    return min(revision + 1, MAX_REVISION)


# -- operators -----------------------------------------------------------------------------------------------------


def adopt_operators(
    connection: Connection, broker: str, site: str, payload: bytes, now: str, refused: list[str]
) -> None:
    """Take in operators. Badges that came as texts are hashed, and so go out again under a higher revision."""
    topic = operators_topic(site)
    found = _read(payload, lambda text: operators_of(text, topic=topic), refused, topic)
    lock_reference(connection)
    present = load_reference(connection, site, "operators")
    if found is None or (present is not None and found["revision"] < present.revision):
        publish_again(connection, broker, topic)
        return
    known = load_operators(connection, site)
    if present is not None and found["revision"] == present.revision:
        salt = stored_salt(present)
        if not _is_same(found, msgspec.json.decode(operators_message(present.revision, salt, known))):
            save_operators(connection, site, known, salt=salt, revision=_above(present.revision), now=now)
        return
    given: str | None = found.get("salt")
    names = {one.operator: one.name for one in known}
    used = given or new_salt()
    rows = [_row(item, names, used, is_hashed=given is not None) for item in found["items"]]
    revision = found["revision"] if given is not None else _above(found["revision"])
    save_operators(connection, site, rows, salt=used, revision=revision, now=now)


def _row(item: dict[str, Any], names: dict[str, str | None], salt: str, *, is_hashed: bool) -> OperatorRow:
    badges = item.get("badges") or ()
    roles = item.get("roles")
    return OperatorRow(
        operator=item["operator"],
        name=item.get("name") or names.get(item["operator"]),
        badges=tuple(badges if is_hashed else (badge_key(trimmed(badge), salt) for badge in badges)),
        roles=None if roles is None else tuple(roles),
    )


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two lists say the same to a kiosk."""

    def essence(document: dict[str, Any]) -> object:
        items = [(item["operator"], item.get("badges") or [], item.get("roles")) for item in document["items"]]
        return document.get("salt"), items

    return essence(one) == essence(other)

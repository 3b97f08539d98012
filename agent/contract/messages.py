"""The messages that the centre sends to a kiosk: each becomes a frozen type, or is refused as a whole.

Form and bounds of single fields are in `agent.contract.schemas`. This module checks what no schema can say, such as
duplicates and that a manifest is on the topic of its order, and fills in defaults. Whatever the bytes, every function
raises only MessageRefused. The error names every wrong field that the schema finds, or else every one found here.
The functions for messages about one order are in `agent.contract.order_messages`.

Rule: `mqtt.md#refused-messages`.
"""

from collections.abc import Iterator

from msgspec.json import encode

from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSize, BoxSizes
from agent.contract.command_arguments import is_good_argument
from agent.contract.manifest import Role, unit_key
from agent.contract.operators import Operator, Operators, badge_key
from agent.contract.order_index import PARTS, OrderIndex, part_of
from agent.contract.order_messages import counted_of, manifest_of
from agent.contract.parsing import check_name, checked, content_of, refused, repeated, too_large
from agent.contract.printed_codes import Command, parse_command
from agent.contract.reference_flaws import Flaws, clean_identifier, trimmed
from agent.contract.requests import Ack, Request
from agent.contract.schemas import (
    AckMessage,
    BlockedMessage,
    BoxesMessage,
    OperatorsMessage,
    OrdersMessage,
    RequestMessage,
    VerdictMessage,
)
from agent.contract.verdicts import Action, Verdict

__all__ = [
    "ack_of",
    "blocked_of",
    "boxes_of",
    "counted_of",
    "manifest_of",
    "operators_of",
    "order_index_of",
    "request_of",
    "too_large",
    "verdict_of",
]


# -- reference messages ------------------------------------------------------------------------------------------


def _compact(document: object) -> str:
    """Return a JSON value as text without blanks."""
    return encode(document).decode("utf-8")


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and not text.strip("0123456789abcdef")


def operators_of(payload: bytes, *, topic: str) -> Operators:
    """Return the operators list in a message (`mqtt.md#operators-list`)."""
    doc = checked(OperatorsMessage, content_of(payload, topic), topic)
    salt = doc.get("salt")
    wrong = list(repeated((f"items.{i}.operator", item["operator"]) for i, item in enumerate(doc["items"])))
    items = []
    flaws = Flaws("operators list")
    by_badge: dict[str, Operator] = {}
    shared = set()
    for i, item in enumerate(doc["items"]):
        roles = item.get("roles")
        operator = Operator(
            id=item["operator"],
            name=item.get("name"),
            roles=None if roles is None else frozenset(map(Role, roles)),
        )
        items.append(operator)
        for j, badge in enumerate(item.get("badges") or ()):
            if salt is not None and not _is_sha256(badge):
                wrong.append(f"items.{i}.badges.{j}: Not 64 lower-case hex digits, though there is a salt")
            if salt is None:
                badge = _clean_badge(badge, f"operator {operator.id}, badges.{j}", flaws)
            key = badge if salt is not None else badge_key(badge, None)
            if by_badge.setdefault(key, operator) is not operator:
                shared.add(key)
    if wrong:
        raise refused(topic, wrong)
    return Operators(
        revision=doc["revision"],
        salt=salt,
        items=tuple(items),
        by_badge=by_badge,
        shared=frozenset(shared),
        source=_compact(doc),
        flaws=flaws.lines(),
    )


def _clean_badge(badge: str, where: str, flaws: Flaws) -> str:
    """Return a badge without blanks at its ends. What is told of it never shows its text."""
    found = trimmed(badge)
    if found != badge:
        flaws.add(where, "blanks at its ends are removed")
    if not found.isprintable():
        flaws.add(where, "has characters that no label has")
    command = parse_command(badge_key(found, None))
    if isinstance(command, Command) and is_good_argument(command):
        flaws.add(where, "is a command, and read as one")
    return found


def boxes_of(payload: bytes, *, topic: str) -> BoxSizes:
    """Return the box sizes in a message (`mqtt.md#box-sizes`)."""
    doc = checked(BoxesMessage, content_of(payload, topic), topic)
    wrong = list(repeated((f"items.{i}.code", item["code"]) for i, item in enumerate(doc["items"])))
    if wrong:
        raise refused(topic, wrong)
    return BoxSizes(
        revision=doc["revision"],
        by_code={item["code"]: BoxSize(**item) for item in doc["items"]},
        source=_compact(doc),
    )


def blocked_of(part: str, payload: bytes, *, topic: str) -> BlockedPart:
    """Return the part of the blocked units in a message; `part` is the end of its topic (`mqtt.md#blocked-units`)."""
    check_name(part, topic)
    doc = checked(BlockedMessage, content_of(payload, topic), topic)
    flaws = Flaws(f"blocked units {part!a}")
    return BlockedPart(
        part=part,
        revision=doc["revision"],
        identifiers=frozenset(map(unit_key, _clean_blocked(doc["items"], flaws))),
        source=_compact(doc),
        flaws=flaws.lines(),
    )


def _clean_blocked(identifiers: list[str], flaws: Flaws) -> Iterator[str]:
    for place, identifier in enumerate(identifiers):
        found = clean_identifier(identifier)
        if found != identifier:
            flaws.add(f"items.{place}", f"{identifier!a} is read as {found!a}")
        yield found


def order_index_of(payload: bytes, *, topic: str, part: str | None = None) -> OrderIndex:
    """Return the index of orders in a message, or one part of it (`mqtt.md#order-index`)."""
    if part is not None and (len(part) != 1 or part not in PARTS):
        raise refused(topic, ["topic: Its end must be one of 0 to 9 and a to f"])
    doc = checked(OrdersMessage, content_of(payload, topic), topic)
    if part is not None and (strays := [order for order in doc["orders"] if part_of(order) != part]):
        raise refused(topic, [f"orders.{order}: Belongs to part {part_of(order)}" for order in strays])
    return OrderIndex(part=part, revision=doc["revision"], orders=doc["orders"], source=_compact(doc))


# -- to one kiosk ------------------------------------------------------------------------------------------------


def verdict_of(id: str, payload: bytes, *, topic: str) -> Verdict:
    """Return the verdict in a message; `id` is the end of its topic (`mqtt.md#verdicts`)."""
    check_name(id, topic)
    doc = checked(VerdictMessage, content_of(payload, topic), topic)
    return Verdict(
        id=id,
        revision=doc["revision"],
        action=Action(doc["action"]),
        order=doc["order"],
        unit=doc.get("unit"),
        reason=doc.get("reason"),
    )


def ack_of(payload: bytes, *, topic: str) -> Ack:
    """Return the consumer's acknowledgement in a message (`mqtt.md#acknowledgement`)."""
    doc = checked(AckMessage, content_of(payload, topic), topic)
    return Ack(journal=doc["journal"], through=int(doc["through"]), id=doc.get("id"))


def request_of(name: str, payload: bytes, *, topic: str) -> Request:
    """Return the request in a message; `name` is the end of its topic (`mqtt.md#requests`)."""
    content = content_of(payload, topic)
    doc = checked(RequestMessage, content, topic)
    return Request(
        name=name,
        transaction=doc["transaction"],
        fields={field: value for field, value in content.items() if field != "transaction"},
    )

"""The messages that the centre sends to a kiosk: each becomes a frozen type, or is refused as a whole.

Form and bounds of single fields are in `agent.contract.schemas`. This module checks what no schema can say, such as
duplicates and that a manifest is on the topic of its order, and fills in defaults. Whatever the bytes, every function
raises only MessageRefused. The error names every wrong field that the schema finds, or else every one found here.

Rules: `mqtt.md#refused-messages`, `mqtt.md#manifest`.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec.json import encode

from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSize, BoxSizes
from agent.contract.command_arguments import is_good_argument
from agent.contract.counted import CountedBox, CountedContent, CountedPart
from agent.contract.identifiers import gtin_ok
from agent.contract.manifest import (
    CountedElsewhere,
    Flow,
    Line,
    Manifest,
    Role,
    Status,
    same_case,
    unit_forms,
    unit_key,
)
from agent.contract.operators import Operator, Operators, badge_key
from agent.contract.order_index import PARTS, OrderIndex, part_of
from agent.contract.parsing import checked, content_of, refused, repeated, too_large
from agent.contract.printed_codes import Command, parse_command
from agent.contract.reference_flaws import Flaws, clean_identifier, clean_units, manifest_flaws, trimmed
from agent.contract.requests import Ack, Request
from agent.contract.schemas import (
    MAX_NAME,
    AckMessage,
    BlockedMessage,
    BoxesMessage,
    CountedLineMessage,
    CountedMessage,
    CountedPartMessage,
    LineMessage,
    ManifestMessage,
    OperatorsMessage,
    OrdersMessage,
    RequestMessage,
    RolesMessage,
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


# -- manifests ---------------------------------------------------------------------------------------------------


def _line(doc: LineMessage, default: Flow | None, number: int, wrong: list[str], flaws: Flaws) -> Line:
    flow = doc.get("flow")
    if flow is None and default is None:
        wrong.append(f"lines.{number}.flow: Field required")
    units = doc.get("units")
    if units and not doc["serialized"]:
        wrong.append(f"lines.{number}.units: The line is not serialized")
    bounds = doc.get("serial_length")
    if bounds is not None and bounds[0] > bounds[1]:
        wrong.append(f"lines.{number}.serial_length: The minimum is over the maximum")
    gtins = doc.get("gtins")
    for place, gtin in enumerate(gtins or ()):
        if not gtin_ok(gtin):
            flaws.add(f"line {doc['line']}, gtins.{place}", f"{gtin} has a wrong check digit")
    return Line(
        id=doc["line"],
        sku=_trimmed(doc["sku"], f"line {doc['line']}, sku", flaws),
        name=doc.get("name"),
        gtins=tuple([gtin.zfill(14) for gtin in gtins]) if gtins else (),
        flow=Flow(flow) if flow is not None else default or Flow.USED,
        serialized=doc["serialized"],
        quantity=doc["quantity"],
        tacs=tuple(sorted(set(doc.get("tacs") or ()))),
        units=tuple(map(tuple, units)) if units else (),
        serial_length=(bounds[0], bounds[1]) if bounds else None,
    )


def _trimmed(code: str, where: str, flaws: Flaws) -> str:
    """Return a code without blanks at its ends."""
    found = trimmed(code)
    if found != code:
        flaws.add(where, f"{code!a} is read as {found!a}")
    return found


def _listed(lines: Iterable[Line]) -> Iterator[tuple[str, str]]:
    """Yield (where, identifier) of each listed identifier."""
    for i, line in enumerate(lines):
        for j, unit in enumerate(line.units):
            for k, identifier in enumerate(unit):
                yield f"lines.{i}.units.{j}.{k}", identifier


def _counted(entries: list[CountedMessage]) -> Iterator[tuple[str, str]]:
    for i, entry in enumerate(entries):
        for j, identifier in enumerate(entry.get("units") or ()):
            yield f"counted.{i}.units.{j}", identifier


def _wrong_identifiers(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    pairs = list(named)
    for where, identifier in pairs:
        if not identifier.isprintable():
            yield f"{where}: Has unprintable characters"
    yield from _repeated_units(pairs)


def _repeated_units(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each identifier that another unit has, too, or that is written twice
    (`scanning.md#one-device-one-identity`). One unit may have an identifier in several forms.
    """
    seen: dict[str, tuple[str, str]] = {}
    for where, identifier in named:
        key = unit_key(identifier)
        first = next((seen[form] for form in unit_forms(key) if form in seen), None)
        if first is None:
            seen[key] = where, same_case(identifier)
        elif first[1] == same_case(identifier) or not _in_one_unit(first[0], where):
            yield f"{where}: The same as {first[0]}"


def _in_one_unit(one: str, other: str) -> bool:
    """Return whether two identifiers belong to one unit, by where they stand (`lines.0.units.3.1`)."""
    return one.startswith("lines.") and one.rpartition(".")[0] == other.rpartition(".")[0]


def _units_differ(manifest: Manifest) -> bool:
    """Return whether no identifier is repeated. All at once: there may be thousands."""
    identifiers = list(chain.from_iterable(chain.from_iterable(line.units for line in manifest.lines)))
    known = manifest.unit_by_id
    return len(known) == len(identifiers) and not any(key[0] == "S" and unit_key(key[1:]) in known for key in known)


def _roles(doc: RolesMessage) -> dict[Role, str]:
    named = {
        Role.PICKING: doc.get("picking"),
        Role.PACKING: doc.get("packing"),
        Role.SHIPPING: doc.get("shipping"),
    }
    return {role: operator for role, operator in named.items() if operator is not None}


def manifest_of(order: str, payload: bytes, *, topic: str) -> Manifest:
    """Return the manifest in a message, its look-ups worked out. `order` is the decoded end of the topic."""
    doc = checked(ManifestMessage, content_of(payload, topic), topic)
    wrong = [] if doc["order"] == order else ["order: Not the one of the topic"]
    listed = doc.get("lines")
    if listed is None and doc["status"] == "open":
        wrong.append("lines: Field required")
    if listed and doc.get("type") is None:
        wrong.append("type: Field required")
    default = Flow.POS if doc.get("type") == "pos" else None
    flaws = Flaws(f"order {doc['order']}")
    lines = tuple([_line(line, default, i, wrong, flaws) for i, line in enumerate(listed or ())])
    lines = clean_units(lines, flaws)
    wrong += repeated((f"lines.{i}.line", line.id) for i, line in enumerate(lines))
    counted = doc.get("counted") or []
    manifest = Manifest(
        order=doc["order"],
        revision=doc["revision"],
        status=Status(doc["status"]),
        barcodes=tuple(_trimmed(code, f"barcodes.{i}", flaws) for i, code in enumerate(doc.get("barcodes") or ())),
        operators=_roles(doc.get("operators") or {}),
        lines=lines,
        counted=tuple(
            CountedElsewhere(
                line=entry["line"],
                quantity=entry["quantity"],
                units=tuple(entry.get("units") or ()),
                box=entry["box"],
            )
            for entry in counted
        ),
        reopen=doc.get("reopen") or 0,
    )
    if not _units_differ(manifest):
        wrong += _repeated_units(_listed(lines))
    wrong += _wrong_identifiers(_counted(counted))
    if wrong:
        raise refused(topic, wrong)
    manifest_flaws(manifest, flaws)
    manifest.note_flaws(flaws.lines())
    manifest.work_out()
    return manifest


# -- reference messages ------------------------------------------------------------------------------------------


def _check_name(name: str, topic: str) -> None:
    """Check the end of a topic like any other id: it is kept, and published in events."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise refused(topic, [f"topic: Its end must be printable text of at most {MAX_NAME} characters"])


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
    _check_name(part, topic)
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


# -- what other kiosks have counted ------------------------------------------------------------------------------

_MAX_BOX_BYTES = 60_000
"""A box must fit into one event; a kiosk confirms none that does not."""


def _counted_content(doc: CountedLineMessage) -> CountedContent:
    return CountedContent(line=doc["line"], quantity=doc["quantity"], units=tuple(doc.get("units") or ()))


def counted_of(order: str, part: str, payload: bytes, *, topic: str) -> CountedPart:
    """Return the part in a message; `order` and `part` are the ends of its topic (`mqtt.md#counted-parts`)."""
    _check_name(part, topic)
    doc = checked(CountedPartMessage, content_of(payload, topic), topic)
    wrong = [] if doc["order"] == order else ["order: Not the one of the topic"]
    if doc["part"] != part:
        wrong.append("part: Not the one of the topic")
    boxes = tuple(
        CountedBox(box=box["box"], kiosk=box["kiosk"], contents=tuple(map(_counted_content, box["contents"])))
        for box in doc["boxes"]
    )
    wrong += repeated((f"boxes.{i}.box", box.box) for i, box in enumerate(boxes))
    wrong += _wrong_identifiers(
        (f"boxes.{i}.contents.{j}.units.{k}", unit)
        for i, box in enumerate(boxes)
        for j, content in enumerate(box.contents)
        for k, unit in enumerate(content.units)
    )
    wrong += [f"boxes.{i}: Too large for an event" for i, box in enumerate(boxes) if len(encode(box)) > _MAX_BOX_BYTES]
    if wrong:
        raise refused(topic, wrong)
    return CountedPart(order=order, part=part, revision=doc["revision"], boxes=boxes)


# -- to one kiosk ------------------------------------------------------------------------------------------------


def verdict_of(id: str, payload: bytes, *, topic: str) -> Verdict:
    """Return the verdict in a message; `id` is the end of its topic (`mqtt.md#verdicts`)."""
    _check_name(id, topic)
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

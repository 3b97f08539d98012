"""The centre's messages about one order: its manifest, and what other kiosks have counted of it.

Import them from `agent.contract.messages`, which has the messages about all else and says what every function does.

Rules: `mqtt.md#manifest`, `mqtt.md#counted-parts`.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec.json import encode

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
from agent.contract.parsing import check_name, checked, content_of, refused, repeated
from agent.contract.reference_flaws import Flaws, clean_units, manifest_flaws, trimmed
from agent.contract.schemas import (
    CountedLineMessage,
    CountedMessage,
    CountedPartMessage,
    LineMessage,
    ManifestMessage,
    RolesMessage,
)

__all__ = ["counted_of", "manifest_of"]

_MAX_BOX_BYTES = 60_000
"""A box must fit into one event; a kiosk confirms none that does not."""


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


# -- what other kiosks have counted ------------------------------------------------------------------------------


def _counted_content(doc: CountedLineMessage) -> CountedContent:
    return CountedContent(line=doc["line"], quantity=doc["quantity"], units=tuple(doc.get("units") or ()))


def counted_of(order: str, part: str, payload: bytes, *, topic: str) -> CountedPart:
    """Return the part in a message; `order` and `part` are the ends of its topic (`mqtt.md#counted-parts`)."""
    check_name(part, topic)
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

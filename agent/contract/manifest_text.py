"""A manifest's compact text, as cache and journal keep it: written here, read here, trusted.

The text is itself a valid manifest message (but for the status `withdrawn`, which no message has). It is read without
the checks of `agent.contract.messages`, since what is read was checked before it was written, and cache and journal
carry checksums.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.json import decode, encode
from msgspec.structs import replace

from agent.contract.manifest import CountedElsewhere, Flow, Line, Manifest, Role, Status
from agent.errors import CacheDamaged

__all__ = ["compact", "stored_manifest_of", "tombstone", "with_source", "withdrawn"]


def compact(document: object) -> str:
    """A JSON value's text, without blanks."""
    return encode(document).decode("utf-8")


def _line(line: Line) -> dict[str, Any]:
    doc: dict[str, Any] = {
        "line": line.id,
        "sku": line.sku,
        "flow": line.flow,
        "serialized": line.serialized,
        "quantity": line.quantity,
    }
    if line.name is not None:
        doc["name"] = line.name
    if line.gtins:
        doc["gtins"] = line.gtins
    if line.tacs:
        doc["tacs"] = sorted(line.tacs)
    if line.units:
        doc["units"] = line.units
    if line.serial_length is not None:
        doc["serial_length"] = line.serial_length
    return doc


def _source_of(manifest: Manifest) -> str:
    doc: dict[str, Any] = {
        "order": manifest.order,
        "revision": manifest.revision,
        "type": "normal",
        "status": manifest.status,
        "lines": [_line(line) for line in manifest.lines],
    }
    if manifest.barcodes:
        doc["barcodes"] = manifest.barcodes
    if manifest.operators:
        doc["operators"] = {role: manifest.operators[role] for role in Role if role in manifest.operators}
    if manifest.counted:
        doc["counted"] = [
            {"line": one.line, "quantity": one.quantity, "units": one.units, "box": one.box} for one in manifest.counted
        ]
    if manifest.reopen:
        doc["reopen"] = True
    return compact(doc)


def with_source(manifest: Manifest) -> Manifest:
    """The same manifest, its `source` made from its other fields."""
    return replace(manifest, source=_source_of(manifest))


def withdrawn(manifest: Manifest) -> Manifest:
    """The manifest as it stands when the centre has withdrawn the order."""
    return with_source(replace(manifest, status=Status.WITHDRAWN))


def tombstone(manifest: Manifest) -> Manifest:
    """What is worth keeping of a withdrawn order: its id, revision and barcodes."""
    return withdrawn(replace(manifest, lines=(), counted=(), operators={}, reopen=False))


def _read_line(doc: Mapping[str, Any]) -> Line:
    serial_length = doc.get("serial_length")
    return Line(
        id=doc["line"],
        sku=doc["sku"],
        name=doc.get("name"),
        gtins=tuple(doc.get("gtins", ())),
        flow=Flow(doc["flow"]),
        serialized=doc["serialized"],
        quantity=doc["quantity"],
        tacs=frozenset(doc.get("tacs", ())),
        units=tuple(map(tuple, doc.get("units", ()))),
        serial_length=None if serial_length is None else (serial_length[0], serial_length[1]),
    )


def stored_manifest_of(source: str | bytes) -> Manifest:
    """The manifest whose `source` this is, equal to the one it was taken from. Raises CacheDamaged if it is none."""
    try:
        text = source if isinstance(source, str) else source.decode("utf-8")
        doc = decode(text)
        return Manifest(
            order=doc["order"],
            revision=doc["revision"],
            status=Status(doc["status"]),
            barcodes=tuple(doc.get("barcodes", ())),
            operators={Role(role): operator for role, operator in doc.get("operators", {}).items()},
            lines=tuple(map(_read_line, doc["lines"])),
            counted=tuple(
                CountedElsewhere(line=one["line"], quantity=one["quantity"], units=tuple(one["units"]), box=one["box"])
                for one in doc.get("counted", ())
            ),
            reopen=doc.get("reopen", False),
            source=text,
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as exc:
        raise CacheDamaged(f"a stored manifest cannot be read: {exc}") from exc

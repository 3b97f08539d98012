"""A manifest: what one order must leave with. The frozen type that the agent works on, with its look-ups.

A `Manifest` that exists is valid: `agent.contract.messages` makes it from a message and refuses anything else. Its
`source` is compact JSON, which cache and journal keep and `Manifest.from_source` reads again.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Literal, Self

from msgspec import Struct, field
from msgspec.json import Decoder, encode
from msgspec.structs import replace

from agent.contract.identifiers import meid_hex

__all__ = [
    "CountedElsewhere",
    "Flow",
    "Line",
    "Manifest",
    "Role",
    "Status",
    "all_in_same_case",
    "all_unit_keys",
    "same_case",
    "unit_forms",
    "unit_key",
]


_MEID_DIGITS = 18
_MEID_LENGTHS = (_MEID_DIGITS, _MEID_DIGITS + 1)
"""With and without the data identifier `S` in front of the decimal digits."""


class Flow(StrEnum):
    """How a line is scanned; also the scan mode that takes it (`workflow.md#choose-a-mode`)."""

    USED = "used"
    DISTRIBUTION = "distribution"
    POS = "pos"


class Role(StrEnum):
    """What an operator does for an order (`workflow.md#required-roles`)."""

    PICKING = "picking"
    PACKING = "packing"
    SHIPPING = "shipping"


class Status(StrEnum):
    """The state of an order at the centre. No message says `withdrawn`: the centre withdraws by an empty message."""

    OPEN = "open"
    PACKED = "packed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


def same_case(code: str) -> str:
    """Return the form in which two barcodes are compared (`scanning.md#comparing-codes`).

    ASCII text becomes upper case. Any other text is case-folded and put into Unicode form NFC, unless that makes it
    ASCII (a long s, the Kelvin sign): then it stays as it is, so that no other letter passes for an ASCII one. The
    function is idempotent.
    """
    if code.isascii():
        return code.upper()
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", code).casefold())
    return code if folded.isascii() else folded


def all_in_same_case(codes: Sequence[str]) -> list[str]:
    """Return `same_case` of each code. One call for all of them if they are ASCII: a manifest may list thousands."""
    text = "\n".join(codes)
    if text.isascii():
        found = text.upper().split("\n")
        if len(found) == len(codes):
            return found
    return [same_case(code) for code in codes]


def unit_key(identifier: str) -> str:
    """Return the form in which identifiers of units are compared: `same_case`, and an MEID in hexadecimal
    (`scanning.md#one-device-one-identity`). The function is idempotent.
    """
    key = same_case(identifier)
    return _with_hex(key) if len(key) in _MEID_LENGTHS else key


def _with_hex(key: str) -> str:
    """Return a key with an MEID in it, also behind `S`, in hexadecimal."""
    if len(key) == _MEID_DIGITS:
        return meid_hex(key)
    return "S" + meid_hex(key[1:]) if len(key) == _MEID_DIGITS + 1 and key[0] == "S" else key


def all_unit_keys(identifiers: Sequence[str]) -> list[str]:
    """Return `unit_key` of each identifier. Fast, like `all_in_same_case`."""
    return [_with_hex(key) if len(key) in _MEID_LENGTHS else key for key in all_in_same_case(identifiers)]


def unit_forms(key: str) -> tuple[str, ...]:
    """Return the keys under which a unit may be listed or known: as it is, without and with the data identifier `S`.

    `key` is as `unit_key` gives it. Rule: `scanning.md#one-device-one-identity`.
    """
    if key[:1] == "S" and len(key) > 1:
        return key, unit_key(key[1:]), "S" + key
    return key, "S" + key


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"id": "line"}):
    """One line of an order.

    Identifiers, SKUs and GTINs are as the manifest writes them; compare them by `same_case`.
    """

    id: str
    sku: str
    flow: Flow
    serialized: bool
    quantity: int
    name: str | None = None
    gtins: tuple[str, ...] = ()
    """14 digits each."""
    tacs: tuple[str, ...] = ()
    """Sorted, each once."""
    units: tuple[tuple[str, ...], ...] = ()
    """The listed devices, each with all its identifiers; the first one is published."""
    serial_length: tuple[int, int] | None = None
    """The shortest and the longest serial number that the line takes."""


class CountedElsewhere(Struct, frozen=True, kw_only=True):
    """Pieces of a line that lie in a confirmed box at another kiosk (`workflow.md#counted-at-another-kiosk`)."""

    line: str
    quantity: int
    units: tuple[str, ...] = ()
    """The published ids of the serialized ones."""
    box: str


class Manifest(Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One revision of an order (`mqtt.md#manifest`). Its JSON text is a manifest message, if the centre has not
    withdrawn the order.
    """

    order: str
    revision: int
    # The type of a message only gives its lines their flow, which here every line has. `omit_defaults` would leave a
    # plain default out of the text, but a message needs a type.
    type: Literal["normal"] = field(default_factory=lambda: "normal")
    status: Status
    lines: tuple[Line, ...]
    barcodes: tuple[str, ...] = ()
    operators: Mapping[Role, str] = {}
    counted: tuple[CountedElsewhere, ...] = ()
    reopen: int | bool = 0
    """Packings confirmed at a lower revision are undone (`workflow.md#packed-orders-stay-closed`); 0: none."""

    def closing(self, known: "Manifest | None") -> "Manifest":
        """Return this manifest with the lines of the known one, if it is a tombstone (`mqtt.md#tombstones`)."""
        if known is None or self.lines or self.status is Status.OPEN:
            return self
        return replace(
            self,
            lines=known.lines,
            barcodes=self.barcodes or known.barcodes,
            operators=self.operators or known.operators,
            counted=self.counted or known.counted,
        )

    @staticmethod
    def from_source(source: str | bytes) -> "Manifest":
        """Return the manifest with this `source`. Raise ValueError if the text is not the source of a manifest.

        Only the types are checked, since the message was checked before the source was made from it.
        """
        try:
            text = source if isinstance(source, str) else source.decode("utf-8")
            manifest = _decoder.decode(text)
            if manifest.reopen is True:  # a journal of the time before `reopen` was a revision
                manifest = replace(manifest, reopen=manifest.revision)
        except (ValueError, RecursionError) as exc:
            raise ValueError(f"a stored manifest cannot be read: {exc}") from exc
        manifest.__dict__["source"] = text
        return manifest

    def withdrawn(self) -> Self:
        """Return this manifest as it is after the centre has withdrawn the order."""
        return replace(self, status=Status.WITHDRAWN)

    def tombstone(self) -> Self:
        """Return what is worth keeping of a withdrawn order: its id, revision and barcodes."""
        return replace(self, status=Status.WITHDRAWN, lines=(), counted=(), operators={}, reopen=0)

    @property
    def flaws(self) -> tuple[str, ...]:
        """What no label can match in the message, a line each (`mqtt.md#data-that-no-label-can-match`).

        It is no part of the manifest: neither its text nor a comparison has it.
        """
        found: tuple[str, ...] = self.__dict__.get("_flaws", ())
        return found

    def note_flaws(self, flaws: tuple[str, ...]) -> None:
        """Say what no label can match. For the parser of the message alone."""
        self.__dict__["_flaws"] = flaws

    # -- look-ups ------------------------------------------------------------------------------------------------

    def work_out(self) -> None:
        """Make all look-ups now, in the calling thread, so that no scan has to wait for one."""
        for look_up in (
            self.source, self.line_by_id, self.codes, self.unit_by_id, self.sku_by_code, self.line_of_unit,
        ):  # fmt: skip
            len(look_up)

    @cached_property
    def source(self) -> str:
        """The manifest as compact JSON text."""
        return encode(self).decode("utf-8")

    @cached_property
    def line_by_id(self) -> Mapping[str, Line]:
        return {line.id: line for line in self.lines}

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every barcode that opens this order, as `same_case` gives it; the order id is always one of them."""
        return frozenset(same_case(code) for code in (self.order, *self.barcodes))

    @cached_property
    def unit_by_id(self) -> Mapping[str, tuple[str, ...]]:
        """All identifiers of a listed device as written, by each of them as `unit_key` gives it."""
        return self._unit_look_ups[0]

    @cached_property
    def line_of_unit(self) -> Mapping[str, Line]:
        """The line that lists a device, by each of its identifiers as `unit_key` gives it."""
        return self._unit_look_ups[1]

    @cached_property
    def sku_by_code(self) -> Mapping[str, str]:
        """SKUs as written, by SKU as `same_case` gives it and by GTIN of 14 digits. The first line wins, and an SKU
        wins over a GTIN.
        """
        found: dict[str, str] = {}
        for line in self.lines:
            found.setdefault(same_case(line.sku), line.sku)
        for line in self.lines:
            for gtin in line.gtins:
                found.setdefault(gtin, line.sku)
        return found

    @cached_property
    def _unit_look_ups(self) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, Line]]:
        """`unit_by_id` and `line_of_unit`, made together because they share their keys."""
        units: dict[str, tuple[str, ...]] = {}
        lines: dict[str, Line] = {}
        for line in self.lines:
            keys = iter(all_unit_keys(list(chain.from_iterable(line.units))))
            here = {next(keys): unit for unit in line.units for _ in unit}
            units.update(here)
            lines.update(dict.fromkeys(here, line))
        return units, lines

    @cached_property
    def total_ordered(self) -> int:
        return sum(line.quantity for line in self.lines)

    @cached_property
    def single_flow(self) -> Flow | None:
        """The flow that all lines share, or None."""
        flows = {line.flow for line in self.lines}
        return flows.pop() if len(flows) == 1 else None


_decoder = Decoder(Manifest)

"""What a scan is: from the bytes of a frame to one of the classes of SPEC 2, in their fixed order. Pure.

Nothing is tried until it fits: exact lengths, AIM identifiers and the open order decide.
"""

import re
from typing import Protocol, final

from msgspec import Struct

from agent.contract.check_digits import is_digits
from agent.contract.identifiers import form_of, gtin14, imei_form, never_serial, sscc_ok
from agent.contract.manifest import same_case
from agent.contract.operators import Operator
from agent.contract.printed_codes import OUR_PREFIXES, Command, CommandFlaw, is_our_badge, is_our_label, parse_command
from agent.contract.reasons import Seen
from agent.workflow.gs1 import Elements, Gs1Error, aim_split, parse
from agent.workflow.state import Order

__all__ = [
    "Ambiguous",
    "BadArgument",
    "Badge",
    "BoxLabel",
    "Code",
    "CommandScan",
    "Lookup",
    "OrderBarcode",
    "Product",
    "Reading",
    "Recognised",
    "Text",
    "UnitScan",
    "Unreadable",
    "classify",
    "escaped",
]


class Lookup(Protocol):
    """What classification asks of the cache; codes are given in comparable form."""

    def find_operator(self, code: str) -> Operator | None: ...
    def is_ambiguous(self, code: str) -> bool:
        """Asked only of badges and orders' barcodes: nothing else is ambiguous."""
        ...

    def orders_by_code(self, code: str) -> tuple[str, ...]: ...


class Unreadable(Struct, frozen=True):
    """Not a code at all: cut short, too long, not decodable, a command's check character wrong, GS1 malformed."""


class CommandScan(Struct, frozen=True):
    command: Command


class BadArgument(Struct, frozen=True):
    """A command whose verb or argument makes no sense."""


class Badge(Struct, frozen=True):
    """`operator` is none for a badge printed by us that the list does not name."""

    operator: Operator | None


class Ambiguous(Struct, frozen=True):
    """A badge that is also an order's, a product's or a unit's code, or a barcode that two open orders claim."""

    is_badge: bool


class OrderBarcode(Struct, frozen=True):
    """`order` is the one it opens; `is_open` when that is the one open at the station."""

    order: str
    is_open: bool


@final
class Product(Struct, frozen=True):
    sku: str


@final
class UnitScan(Struct, frozen=True):
    """A device by what was scanned of it, in comparable form; the first is the main one, further ones its aliases.

    `with_product` says that a product was in the same scan; `sku` is that product, none if it is not on the order.
    """

    ids: tuple[str, ...]
    with_product: bool = False
    sku: str | None = None


class BoxLabel(Struct, frozen=True):
    label: str


class Recognised(Struct, frozen=True):
    """A barcode of a known form that nothing here asks for."""

    seen: Seen


class Text(Struct, frozen=True):
    """Text of no class."""


Code = (
    Unreadable
    | CommandScan
    | BadArgument
    | Badge
    | Ambiguous
    | OrderBarcode
    | Product
    | UnitScan
    | BoxLabel
    | Recognised
    | Text
)


class Reading(Struct, frozen=True, kw_only=True):
    """A classified scan; `symbology` is the AIM identifier without its bracket, if the scanner sent one, and `data`
    what came behind it."""

    code: Code
    symbology: str | None
    data: bytes


_PRODUCT_SYMBOLOGIES = frozenset(("E0", "E1", "E2", "E3", "E4"))
_OURS_BY_CODE_128 = (None, "C0")
_GTIN_LENGTHS = (8, 12, 13, 14)
_SERIAL = re.compile(r"[A-Z0-9]+", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]|\\")


def escaped(data: bytes, limit: int = 128) -> str:
    """A scan as it may stand in events and logs: printable ASCII, all else as escapes, at most `limit` characters."""
    text = data[:limit].decode("utf-8", "backslashreplace")
    shown = _UNPRINTABLE.sub(lambda found: _escape(found[0]), text)
    return shown[:limit]


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    return character.encode("unicode_escape").decode("ascii")


def classify(data: bytes, *, order: Order | None, label_awaited: bool, lookup: Lookup) -> Reading:
    """Classify an intact frame's bytes for a station where `order` is open.

    `label_awaited` says whether a box label means something in the station's phase.
    """
    symbology = None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Reading(code=Unreadable(), symbology=None, data=data)
    if text.startswith("]"):
        symbology, text = aim_split(text)
        data = text.encode()
    code = _code(symbology, text, order, label_awaited, lookup)
    return Reading(code=code, symbology=symbology, data=data)


def _code(symbology: str | None, text: str, order: Order | None, label_awaited: bool, lookup: Lookup) -> Code:
    if symbology in _PRODUCT_SYMBOLOGIES:
        return _product(same_case(text), order) or Recognised(Seen.GTIN)
    try:
        elements = parse(symbology, text)
    except Gs1Error:
        return Unreadable()
    if elements is not None:
        return _gs1(elements, order, label_awaited)
    return _plain(symbology, text, order, label_awaited, lookup)


def _product(key: str, order: Order | None) -> Product | None:
    """A product of the open order, by GTIN or else by SKU; `key` is in comparable form."""
    if order is None:
        return None
    sku = order.sku_of(gtin14(key)) if len(key) in _GTIN_LENGTHS and is_digits(key) else None
    if sku is None:
        sku = order.sku_of(key)
    return Product(sku) if sku is not None else None


def _is_unit_of(key: str, order: Order) -> bool:
    """Listed by the manifest, or counted already: also what a revision has dropped since."""
    return key in order.manifest.unit_by_id or key in order.counted or key in order.elsewhere_units


def _gs1(elements: Elements, order: Order | None, label_awaited: bool) -> Code:
    if elements.imeis or elements.serial:
        return _gs1_unit(elements, order)
    if elements.gtin is not None:
        return _product(elements.gtin, order) or Recognised(Seen.GTIN)
    if elements.sscc is not None:
        return BoxLabel(elements.sscc) if label_awaited else Recognised(Seen.SSCC)
    return Text()


def _gs1_unit(elements: Elements, order: Order | None) -> Code:
    """One unit by all its identifiers. Those that the manifest lists as two devices are two barcodes run into one."""
    listed = order.manifest.unit_by_id if order is not None else {}
    ids = tuple(same_case(one) for one in elements.imeis)
    if len(ids) > 1:
        unit = listed.get(ids[0])
        if unit is None or not {*ids} <= {same_case(one) for one in unit}:
            return Recognised(Seen.CONCATENATED)
    if elements.serial is not None and same_case(elements.serial) not in ids:
        ids = (*ids, same_case(elements.serial))
    if len({listed[one] for one in ids if one in listed}) > 1:
        return Recognised(Seen.CONCATENATED)
    if elements.gtin is None:
        return UnitScan(ids)
    product = _product(elements.gtin, order)
    return UnitScan(ids, with_product=True, sku=product.sku if product is not None else None)


def _plain(symbology: str | None, text: str, order: Order | None, label_awaited: bool, lookup: Lookup) -> Code:
    key = same_case(text)
    may_be_ours = key.startswith(OUR_PREFIXES)
    command = parse_command(key) if may_be_ours else None
    if command is not None:
        if command is CommandFlaw.BAD_CHECK:
            return UnitScan((key,)) if order is not None and _is_unit_of(key, order) else Unreadable()
        if symbology not in _OURS_BY_CODE_128:
            return Recognised(Seen.COMMAND)
        return CommandScan(command) if isinstance(command, Command) else BadArgument()
    operator, claimed_by = lookup.find_operator(key), lookup.orders_by_code(key)
    if (operator is not None or claimed_by) and lookup.is_ambiguous(key):
        return Ambiguous(is_badge=operator is not None)
    ours = may_be_ours and is_our_badge(key)
    if operator is not None or (ours and not (order is not None and _is_unit_of(key, order))):
        return Recognised(Seen.BADGE) if ours and symbology not in _OURS_BY_CODE_128 else Badge(operator)
    if order is not None:
        if key in order.manifest.codes:
            return OrderBarcode(order.id, is_open=True)
        product = _product(key, order)
        if product is not None:
            return product
        if _is_unit_of(key, order):
            return UnitScan((key,))
    our_label = may_be_ours and is_our_label(key)
    if label_awaited and (our_label or sscc_ok(key)):
        return BoxLabel(key)
    if claimed_by:
        return OrderBarcode(claimed_by[0], is_open=False)
    if imei_form(key) or (order is not None and _is_serial_for(key, order)):
        return UnitScan((key,))
    if our_label:
        # Where none is awaited too: the table says of a label what it does in every state.
        return BoxLabel(key)
    seen = form_of(key)
    return Recognised(seen) if seen is not None else Text()


def _is_serial_for(key: str, order: Order) -> bool:
    """Whether some line of the order takes serial numbers of this length."""
    return (
        _SERIAL.fullmatch(key) is not None
        and not never_serial(key)
        and any(
            line.serial_length is not None and line.serial_length[0] <= len(key) <= line.serial_length[1]
            for line in order.manifest.lines
        )
    )

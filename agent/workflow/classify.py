"""Classification: from the bytes of a scan to its class. Pure.

No parser is tried until one fits. The AIM identifier, exact lengths and the open order decide.
"""

import re

from msgspec import Struct

from agent.contract.check_digits import is_digits
from agent.contract.identifiers import form_of, gtin14, imei_form, never_serial, sscc_ok
from agent.contract.manifest import same_case
from agent.contract.printed_codes import Command, CommandFlaw, is_our_badge, is_our_label, parse_command
from agent.contract.reasons import Seen
from agent.workflow.command_arguments import is_good_argument
from agent.workflow.gs1 import Elements, Gs1Error, aim_split, parse
from agent.workflow.lookups import CodeLookups
from agent.workflow.scan_classes import (
    Ambiguous,
    BadArgument,
    Badge,
    BoxLabel,
    CommandScan,
    OrderBarcode,
    Product,
    Recognised,
    ScanClass,
    Text,
    UnitScan,
    UnknownBadge,
    Unreadable,
)
from agent.workflow.state import Order

__all__ = ["Reading", "classify", "escaped"]


class Reading(Struct, frozen=True, kw_only=True):
    """A classified scan. `symbology` is its AIM identifier without the bracket, `data` the bytes after that."""

    scan: ScanClass
    symbology: str | None
    data: bytes


_PRODUCT_SYMBOLOGIES = frozenset(("E0", "E1", "E2", "E3", "E4"))
_OURS_BY_CODE_128 = (None, "C0")
_GTIN_LENGTHS = (8, 12, 13, 14)
_SERIAL = re.compile(r"[A-Z0-9]+", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]|\\")


def escaped(data: bytes, limit: int = 128) -> str:
    """Return a scan as printable ASCII, at most `limit` characters, all else as escapes
    (`scanning.md#control-characters`).
    """
    text = data[:limit].decode("utf-8", "backslashreplace")
    shown = _UNPRINTABLE.sub(lambda found: _escape(found[0]), text)
    return shown[:limit]


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    return character.encode("unicode_escape").decode("ascii")


def classify(data: bytes, *, order: Order | None, label_awaited: bool, lookups: CodeLookups) -> Reading:
    """Return the first class that fits an intact scan (`scanning.md#classes`, `scanning.md#unreadable-scans`).

    `order` is the order that is open at the station. `label_awaited`: the station's phase awaits a box label.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Reading(scan=Unreadable(), symbology=None, data=data)
    symbology, text = aim_split(text)
    scan = _class_of(symbology, text, order, label_awaited, lookups)
    return Reading(scan=scan, symbology=symbology, data=text.encode())


def _class_of(
    symbology: str | None, text: str, order: Order | None, label_awaited: bool, lookups: CodeLookups
) -> ScanClass:
    """Let the AIM identifier choose how the text is read (`scanning.md#aim-identifier`)."""
    if symbology in _PRODUCT_SYMBOLOGIES:
        return _product(same_case(text), order) or Recognised(Seen.GTIN)
    try:
        elements = parse(symbology, text)
    except Gs1Error:
        return Unreadable()
    if elements is not None:
        return _class_of_gs1(elements, order, label_awaited)
    return _class_of_plain(symbology, text, order, label_awaited, lookups)


def _product(key: str, order: Order | None) -> Product | None:
    """Return the product of the open order with this GTIN, or else this SKU; `key` is in the form of `same_case`."""
    if order is None:
        return None
    sku = order.sku_of(gtin14(key)) if len(key) in _GTIN_LENGTHS and is_digits(key) else None
    if sku is None:
        sku = order.sku_of(key)
    return Product(sku) if sku is not None else None


def _is_unit_of(key: str, order: Order | None) -> bool:
    """Return whether a device is listed by the open order, or counted in it and perhaps dropped by a revision."""
    return order is not None and (
        key in order.manifest.unit_by_id or key in order.counted or key in order.elsewhere_units
    )


# -- GS1 data ----------------------------------------------------------------------------------------------------


def _class_of_gs1(elements: Elements, order: Order | None, label_awaited: bool) -> ScanClass:
    """Return the class of GS1 data (`scanning.md#application-identifiers`)."""
    if elements.imeis or elements.serial:
        return _unit_of_gs1(elements, order)
    if elements.gtin is not None:
        return _product(elements.gtin, order) or Recognised(Seen.GTIN)
    if elements.sscc is not None:
        return BoxLabel(elements.sscc) if label_awaited else Recognised(Seen.SSCC)
    return Text()


def _unit_of_gs1(elements: Elements, order: Order | None) -> ScanClass:
    """Return the one device of GS1 data (`scanning.md#two-units-in-one-scan`), with the product beside it if any
    (`scanning.md#product-and-unit-in-one-scan`).
    """
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


# -- any other text ----------------------------------------------------------------------------------------------


def _class_of_plain(
    symbology: str | None, text: str, order: Order | None, label_awaited: bool, lookups: CodeLookups
) -> ScanClass:
    key = same_case(text)
    command = parse_command(key)
    if command is not None:
        return _command(command, symbology, key, order)
    operator, claimed_by = lookups.find_operator(key), lookups.orders_by_code(key)
    if (operator is not None or claimed_by) and lookups.is_ambiguous(key):
        return Ambiguous(is_badge=operator is not None)
    ours = is_our_badge(key)
    if operator is not None or (ours and not _is_unit_of(key, order)):
        if ours and symbology not in _OURS_BY_CODE_128:
            return Recognised(Seen.BADGE)
        return Badge(operator) if operator is not None else UnknownBadge()
    if order is not None:
        if key in order.manifest.codes:
            return OrderBarcode(order.id, is_open=True)
        product = _product(key, order)
        if product is not None:
            return product
        if _is_unit_of(key, order):
            return UnitScan((key,))
    our_label = is_our_label(key)
    if label_awaited and (our_label or sscc_ok(key)):
        return BoxLabel(key)
    if claimed_by:
        return OrderBarcode(claimed_by[0], is_open=False)
    if imei_form(key) or (order is not None and _is_serial_for(key, order)):
        return UnitScan((key,))
    if our_label:
        # A label of ours is a label where none is awaited, too: the state table has a cell for it in every phase.
        return BoxLabel(key)
    seen = form_of(key)
    return Recognised(seen) if seen is not None else Text()


def _command(command: Command | CommandFlaw, symbology: str | None, key: str, order: Order | None) -> ScanClass:
    """Return the class of a text that begins like a command (`scanning.md#command-barcodes`,
    `scanning.md#code-128-only`).
    """
    if command is CommandFlaw.BAD_CHECK:
        return UnitScan((key,)) if _is_unit_of(key, order) else Unreadable()
    if symbology not in _OURS_BY_CODE_128:
        return Recognised(Seen.COMMAND)
    if isinstance(command, Command) and is_good_argument(command):
        return CommandScan(command.verb, command.argument)
    return BadArgument()


def _is_serial_for(key: str, order: Order) -> bool:
    """Return whether a line of the order takes serial numbers of this length (`scanning.md#never-a-serial-number`)."""
    return (
        _SERIAL.fullmatch(key) is not None
        and not never_serial(key)
        and any(
            line.serial_length is not None and line.serial_length[0] <= len(key) <= line.serial_length[1]
            for line in order.manifest.lines
        )
    )

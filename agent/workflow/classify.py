"""Classification: from the bytes of a scan to its class. Pure.

Lists come before forms (`scanning.md#lists-come-before-forms`). No parser is tried until one fits: the AIM identifier,
exact lengths and the open order decide.
"""

import re

from msgspec import Struct

from agent.contract.command_arguments import is_good_argument
from agent.contract.identifiers import (
    form_of,
    imei_form,
    sscc_ok,
    upc_e_gtin,
)
from agent.contract.manifest import same_case, unit_key
from agent.contract.printed_codes import (
    OUR_PREFIXES,
    Command,
    Verb,
    has_wrong_check,
    is_our_badge,
    is_our_label,
    parse_command,
)
from agent.contract.reasons import Seen
from agent.workflow.gs1 import Elements, Gs1Error, aim_split, parse
from agent.workflow.line_choice import takes_serial
from agent.workflow.lookups import CodeLookups
from agent.workflow.order_codes import is_label_of, is_unit_of, lookalike_of, product_of, unit_of_gs1
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

__all__ = ["Reading", "classify", "escaped", "verb_of"]


class Reading(Struct, frozen=True, kw_only=True):
    """A classified scan. `symbology` is its AIM identifier without the bracket, `data` the bytes after that."""

    scan: ScanClass
    symbology: str | None
    data: bytes


_PRODUCT_SYMBOLOGIES = frozenset(("E0", "E1", "E2", "E3", "E4"))
_OURS_BY_CODE_128 = (None, "C0")
_FULL_EAN = "E0"
_MAX_QUANTITY = 9999
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


def classify(
    data: bytes,
    *,
    order: Order | None,
    label_awaited: bool,
    lookups: CodeLookups,
    sscc_awaited: bool = True,
    no_read: frozenset[str] = frozenset(),
) -> Reading:
    """Return the first class that fits an intact scan (`scanning.md#classes`, `scanning.md#unreadable-scans`).

    `order` is the order that is open at the station. `label_awaited`: the station's phase awaits a box label.
    `sscc_awaited`: then 18 digits are one even if the order does not know the label. `no_read`: what the scanner sends
    when it has read nothing, in the form of `same_case`.
    """
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        return Reading(scan=Unreadable(), symbology=None, data=data)
    symbology, text = aim_split(whole)
    key = same_case(text)
    place = _Place(
        order=order, lookups=lookups, label_awaited=label_awaited, sscc_awaited=sscc_awaited, no_read=no_read
    )
    scan = place.listed(key, symbology)
    if scan is None and symbology is not None:
        # A listed code can itself begin like an AIM identifier, and the scanner sends none.
        whole_key = same_case(whole)
        listed = place.listed(whole_key, None)
        if listed is not None:
            return Reading(scan=listed, symbology=None, data=data)
        if whole_key in no_read:
            scan = Unreadable(is_no_read=True)
    if scan is None:
        scan = Unreadable(is_no_read=True) if key in no_read else place.by_form(text, key, symbology)
    return Reading(scan=scan, symbology=symbology, data=text.encode())


def verb_of(data: bytes) -> Verb | None:
    """Return the verb of a scan that has the form of a command, with or without an AIM identifier; else None."""
    _, text = aim_split(data.decode("utf-8", "replace"))
    command = parse_command(same_case(text))
    return command.verb if isinstance(command, Command) else None


class _Place(Struct, kw_only=True, eq=False):
    """Where a text is read: what it means depends on the station's phase and order. The fields are those of `classify`.

    `symbology` is the AIM identifier before the text, and `key` the text in the form of `same_case`.
    """

    order: Order | None
    lookups: CodeLookups
    label_awaited: bool
    sscc_awaited: bool
    no_read: frozenset[str]

    # -- lists ---------------------------------------------------------------------------------------------------

    def listed(self, key: str, symbology: str | None) -> ScanClass | None:
        """Return the class of a text that is on a list (`scanning.md#lists-come-before-forms`), else None.

        A box label comes before the barcode of another order here, as it does in `scanning.md#classes`.
        """
        operator, claimed_by = self.lookups.find_operator(key), self.lookups.orders_by_code(key)
        of_order = self._of_order(key)
        is_badge = False
        if key.startswith(OUR_PREFIXES):
            command = parse_command(key)
            is_command = isinstance(command, Command) and is_good_argument(command)
            is_badge = is_our_badge(key)
            if (is_command or is_badge or is_our_label(key)) and (of_order is not None or claimed_by):
                return Ambiguous(is_badge=is_badge or operator is not None)
            if is_command:
                return None
        if (operator is not None or claimed_by) and self.lookups.is_ambiguous(key):
            return Ambiguous(is_badge=operator is not None)
        if operator is not None:
            if is_badge and symbology not in _OURS_BY_CODE_128:
                return Recognised(Seen.BADGE)
            return Badge(operator)
        if of_order is not None:
            return of_order
        if claimed_by:
            return BoxLabel(key) if self._is_label(key) else OrderBarcode(claimed_by[0], is_open=False)
        return None

    def _of_order(self, key: str) -> OrderBarcode | Product | UnitScan | None:
        """Return what the text is on the lists of the open order, if anything."""
        order = self.order
        if order is None:
            return None
        if key in order.manifest.codes:
            return OrderBarcode(order.id, is_open=True)
        product = product_of(key, order)
        if product is not None:
            return product
        unit = unit_key(key)
        return UnitScan((unit,)) if is_unit_of(unit, order) else None

    # -- forms ---------------------------------------------------------------------------------------------------

    def by_form(self, text: str, key: str, symbology: str | None) -> ScanClass:
        """Return the class of a text that is on no list: let the AIM identifier choose how it is read
        (`scanning.md#aim-identifier`).
        """
        if has_wrong_check(key):
            return Unreadable()
        if symbology in _PRODUCT_SYMBOLOGIES:
            gtin = upc_e_gtin(text) if symbology == _FULL_EAN else None
            return (product_of(gtin, self.order) if gtin is not None else None) or Recognised(Seen.GTIN)
        try:
            elements = parse(symbology, text)
        except Gs1Error:
            return Unreadable()
        if elements is not None:
            return self._of_gs1(elements)
        if parse_command(key) is not None:
            return self._command(key, symbology)
        return self._plain(key, symbology)

    def _command(self, key: str, symbology: str | None) -> ScanClass:
        """Return the class of a command on no list (`scanning.md#command-barcodes`, `scanning.md#code-128-only`)."""
        if symbology not in _OURS_BY_CODE_128:
            return Recognised(Seen.COMMAND)
        command = parse_command(key)
        if isinstance(command, Command) and is_good_argument(command):
            return CommandScan(command.verb, command.argument)
        return BadArgument()

    def _plain(self, key: str, symbology: str | None) -> ScanClass:
        if is_our_badge(key):
            return UnknownBadge() if symbology in _OURS_BY_CODE_128 else Recognised(Seen.BADGE)
        order = self.order
        if self._is_label(key):
            return BoxLabel(key)
        if imei_form(key):
            return UnitScan((key,))
        unit = unit_key(key)
        seen = form_of(key)
        if order is not None:
            lookalike = lookalike_of(key, order)
            if lookalike is not None:
                return Recognised(lookalike)
            if seen in (None, Seen.MEID) and any(takes_serial(line, unit) for line in order.manifest.lines):
                return UnitScan((unit,))
        if is_our_label(key):
            # A label of ours is a label where none is awaited, too: the state table has a cell for it in every phase.
            return BoxLabel(key)
        return Recognised(seen) if seen is not None else Text()

    def _is_label(self, key: str) -> bool:
        """Return whether a text is a box label, in a phase that awaits one (`scanning.md#box-labels`)."""
        if not self.label_awaited:
            return False
        return is_our_label(key) or (sscc_ok(key) and (self.sscc_awaited or is_label_of(key, self.order)))

    # -- GS1 data ------------------------------------------------------------------------------------------------

    def _of_gs1(self, elements: Elements) -> ScanClass:
        """Return the class of GS1 data (`scanning.md#application-identifiers`)."""
        quantity = elements.quantity
        is_unit = bool(elements.imeis or elements.serial)
        if quantity is not None and (is_unit or elements.gtin) and not 1 <= quantity <= _MAX_QUANTITY:
            return BadArgument(is_item=True)
        if is_unit:
            ids = {same_case(one) for one in (*elements.imeis, elements.serial) if one is not None}
            if ids <= self.no_read and not any(is_unit_of(one, self.order) for one in ids):
                return Unreadable(is_no_read=True)
            return unit_of_gs1(elements, self.order)
        if elements.gtin is not None:
            product = product_of(elements.gtin, self.order)
            return Product(product.sku, quantity) if product is not None else Recognised(Seen.GTIN)
        return self._reference(elements) or (Recognised(Seen.SSCC) if elements.sscc is not None else Text())

    def _reference(self, elements: Elements) -> ScanClass | None:
        """Return the order or box that GS1 data without a product or unit names
        (`scanning.md#order-numbers-in-gs1-data`).

        AI 00 is a box label where one is awaited, unless it is the barcode of the open order; in `scanning` it is the
        barcode of another order unless the open order knows the label.
        """
        sscc, order = elements.sscc, self.order
        keys = {same_case(value) for value in (sscc, *elements.references) if value is not None}
        if order is not None and not keys.isdisjoint(order.manifest.codes):
            return OrderBarcode(order.id, is_open=True)
        if sscc is not None and self._is_label(sscc):
            return BoxLabel(sscc)
        claims = {key: self.lookups.orders_by_code(key) for key in keys}
        orders = {claimed_by[0] for claimed_by in claims.values() if claimed_by}
        if len(orders) > 1 or any(claims[key] and self.lookups.is_ambiguous(key) for key in keys):
            return Ambiguous(is_badge=False)
        if orders:
            return OrderBarcode(orders.pop(), is_open=False)
        return BoxLabel(sscc) if sscc is not None and self.label_awaited else None

"""The ladder of rule 5: which line takes a unit, or the first reason why none does. Pure."""

from collections.abc import Callable

from agent.contract.check_digits import luhn_ok
from agent.contract.events import Unit
from agent.contract.identifiers import imei_form, imei_ok, never_serial, scheme_of
from agent.contract.manifest import Flow, Line, Manifest, same_case
from agent.contract.reasons import Reason
from agent.workflow.state import Box, Order, State

__all__ = ["BOX_BYTES", "BOX_UNITS", "line_for", "room_in", "unit_of"]

BOX_UNITS = 1000
"""As many serialized units as a box holds."""

BOX_BYTES = 56_000
"""As much of an event's 64 KiB as a box's contents may take; only very long serial numbers ever reach it."""

_MAX_ENTRY_BYTES = 800
"""More than any entry adds: identifiers, SKUs and line ids have 64 characters at most."""

_ZEROS = "0" * 15
_SERIAL_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def unit_of(ids: tuple[str, ...], order: Order) -> Unit:
    """The device behind scanned identifiers, as it is published: the manifest's list first, if it lists one of them."""
    listed = order.manifest.unit_by_id
    for one in ids:
        unit = listed.get(one)
        if unit is not None:
            known = {same_case(other) for other in unit}
            ids = (*unit, *(other for other in ids if other not in known))
            break
    return Unit(scheme=scheme_of(ids[0]), id=ids[0], aliases=ids[1:])


def line_for(
    unit_ids: tuple[str, ...],
    scanned: tuple[str, ...],
    *,
    state: State,
    order: Order,
    mode: Flow,
    product: str | None,
    is_product_known: bool,
    is_blocked: Callable[[str], bool],
) -> Line | Reason:
    """The line of an order that takes a unit known by `unit_ids`, of which `scanned` were read; all in comparable form.

    `product` is the SKU that limits the lines; `is_product_known` is false when the scan names a product that the order
    has not. `is_blocked` answers for identifiers in comparable form.
    """
    listed = order.manifest.unit_by_id
    for one in scanned:
        if one not in listed and imei_form(one) and not luhn_ok(one):
            return Reason.BAD_CHECK_DIGIT
    for one in unit_ids:
        if one in order.counted or one in order.elsewhere_units:
            return Reason.ALREADY_COUNTED
    for one in unit_ids:
        if one in state.barred:
            return Reason.HELD
    for one in unit_ids:
        for holder in state.units.get(one, ()):
            if holder != order.id and holder in state.orders and state.orders[holder].is_open:
                return Reason.COUNTED_ELSEWHERE
    for one in unit_ids:
        if one == _ZEROS or is_blocked(one):
            return Reason.NOT_ON_ORDER
    return _one_of(unit_ids, order, mode, product, is_product_known)


def _one_of(
    ids: tuple[str, ...], order: Order, mode: Flow, product: str | None, is_product_known: bool
) -> Line | Reason:
    """The first line with something pending, if no line of another SKU takes the unit as well."""
    found, reason = None, None
    for line in order.manifest.lines:
        if line.flow is not mode or not line.serialized or not _takes(line, ids, order.manifest):
            continue
        if not is_product_known:
            return Reason.WRONG_PRODUCT
        if product is None and mode is Flow.DISTRIBUTION:
            return Reason.PRODUCT_REQUIRED
        if product is not None and line.sku != product:
            reason = reason or Reason.WRONG_PRODUCT
        elif line.quantity <= order.scanned_on(line.id):
            reason = Reason.OVER_QUANTITY
        elif found is None:
            found = line
        elif line.sku != found.sku:
            return Reason.PRODUCT_REQUIRED
    return found or reason or Reason.NOT_ON_ORDER


def _takes(line: Line, ids: tuple[str, ...], manifest: Manifest) -> bool:
    """Whether a serialized line takes a unit, by any of its ids; those not listed have passed their check digit."""
    for one in ids:
        if manifest.line_of_unit.get(one) is line:
            return True
        if imei_form(one):
            is_wanted = one[:8] in line.tacs if line.tacs else not line.units and line.serial_length is None
            if is_wanted and (one not in manifest.unit_by_id or imei_ok(one)):
                return True
        elif line.serial_length is not None and _is_serial(one, line.serial_length):
            return True
    return False


def _is_serial(text: str, length: tuple[int, int]) -> bool:
    return length[0] <= len(text) <= length[1] and _SERIAL_ALPHABET.issuperset(text) and not never_serial(text)


def room_in(box: Box, line: Line, unit: Unit | None) -> bool:
    """Whether an open box still takes a unit, or pieces, of a line."""
    if box.units < BOX_UNITS and box.bytes < BOX_BYTES - _MAX_ENTRY_BYTES:
        return True
    return (unit is None or box.units < BOX_UNITS) and box.bytes_with(line.id, line.sku, unit) < BOX_BYTES

"""The ladder of rule 5: which line takes a unit, or the first reason why none does. Pure."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from agent.events import Unit
from agent.identifiers import imei_form, imei_ok, luhn_ok, never_serial, scheme_of
from agent.reasons import Reason
from agent.reference.manifest import Flow, Line, same_case
from agent.workflow.entries import Entry
from agent.workflow.state import Box, Order, State

__all__ = ["BOX_BYTES", "BOX_UNITS", "Rung", "line_for", "room_in", "unit_of"]

BOX_UNITS = 1000
"""As many serialized units as a box holds."""

BOX_BYTES = 56_000
"""As much of an event's 64 KiB as a box's contents may take; only very long serial numbers ever reach it."""

_MAX_ENTRY_BYTES = 800
"""More than any entry adds: identifiers, SKUs and line ids have 64 characters at most."""

_ZEROS = "0" * 15
_SERIAL_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class Rung(Struct, frozen=True, kw_only=True):
    """What the ladder looks at. `product` is the SKU that limits the lines; `is_product_known` is false when the scan
    names a product that the order has not. `is_blocked` answers for identifiers in comparable form."""

    state: State
    order: Order
    mode: Flow
    product: str | None
    is_product_known: bool
    is_blocked: Callable[[str], bool]


def unit_of(ids: Iterable[str], order: Order) -> Unit:
    """The device behind scanned identifiers, as it is published: the manifest's list first, if it lists one of them."""
    every = tuple(ids)
    listed = order.manifest.unit_by_id
    for one in every:
        unit = listed.get(one)
        if unit is not None:
            known = {same_case(other) for other in unit}
            every = (*unit, *(other for other in every if other not in known))
            break
    return Unit(scheme=scheme_of(every[0]), id=every[0], aliases=every[1:])


def line_for(unit_ids: tuple[str, ...], scanned: tuple[str, ...], rung: Rung) -> Line | Reason:
    """The line that takes a unit known by `unit_ids`, of which `scanned` were read; all in comparable form."""
    order = rung.order
    listed = order.manifest.unit_by_id
    for one in scanned:
        if one not in listed and imei_form(one) and not luhn_ok(one):
            return Reason.BAD_CHECK_DIGIT
    state = rung.state
    for one in unit_ids:
        if one in order.counted or one in order.elsewhere_units:
            return Reason.ALREADY_COUNTED
    for one in unit_ids:
        if one in state.barred:
            return Reason.HELD
    for one in unit_ids:
        if _is_counted_elsewhere(one, rung):
            return Reason.COUNTED_ELSEWHERE
    for one in unit_ids:
        if one == _ZEROS or rung.is_blocked(one):
            return Reason.NOT_ON_ORDER
    lines = [line for line in order.manifest.lines if line.flow is rung.mode and _takes(line, unit_ids, order)]
    if not lines:
        return Reason.NOT_ON_ORDER
    return _one_of(lines, rung)


def _is_counted_elsewhere(identifier: str, rung: Rung) -> bool:
    return any(
        other != rung.order.id and other in rung.state.orders and rung.state.orders[other].is_open
        for other in rung.state.units.get(identifier, ())
    )


def _one_of(lines: list[Line], rung: Rung) -> Line | Reason:
    if not rung.is_product_known:
        return Reason.WRONG_PRODUCT
    if rung.product is None and rung.mode is Flow.DISTRIBUTION:
        return Reason.PRODUCT_REQUIRED
    if rung.product is not None:
        lines = [line for line in lines if line.sku == rung.product]
        if not lines:
            return Reason.WRONG_PRODUCT
    lines = [line for line in lines if rung.order.pending_on(line.id) > 0]
    if not lines:
        return Reason.OVER_QUANTITY
    if len({line.sku for line in lines}) > 1:
        return Reason.PRODUCT_REQUIRED
    return lines[0]


def _takes(line: Line, ids: tuple[str, ...], order: Order) -> bool:
    if line.serialized:
        for one in ids:
            if _takes_one(line, one, order):
                return True
    return False


def _takes_one(line: Line, identifier: str, order: Order) -> bool:
    if order.manifest.line_of_unit.get(identifier) is line:
        return True
    if imei_form(identifier):
        if line.tacs:
            return identifier[:8] in line.tacs and imei_ok(identifier)
        return not line.units and line.serial_length is None and imei_ok(identifier)
    return (
        line.serial_length is not None
        and line.serial_length[0] <= len(identifier) <= line.serial_length[1]
        and _SERIAL_ALPHABET.issuperset(identifier)
        and not never_serial(identifier)
    )


def room_in(box: Box | None, entry: Entry) -> bool:
    """Whether an open box still takes an entry."""
    if box is None or (box.units < BOX_UNITS and box.bytes < BOX_BYTES - _MAX_ENTRY_BYTES):
        return True
    return (entry.unit is None or box.units < BOX_UNITS) and box.bytes_with(entry) < BOX_BYTES

"""The checks of a unit: choose the line that takes a device, or give the first reason why none does."""

from msgspec import Struct

from agent.contract.check_digits import luhn_ok
from agent.contract.events import Unit
from agent.contract.identifiers import imei_form, imei_ok, meid_form, meid_hex, never_serial, scheme_of
from agent.contract.manifest import Flow, Line, Manifest, same_case, unit_forms, unit_key
from agent.contract.reasons import Reason
from agent.workflow.context import StepContext
from agent.workflow.reply import Refusal
from agent.workflow.scan_classes import UnitScan
from agent.workflow.state import Order, ids_of

__all__ = ["Device", "device_of", "forms_of", "line_for", "takes_serial"]

_SERIAL_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


_MEID_LENGTHS = (14, 18)


def forms_of(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return all keys under which a device may be listed or known, by its identifiers
    (`scanning.md#one-device-one-identity`).
    """
    if len(ids) == 1:
        return unit_forms(ids[0])
    return tuple(dict.fromkeys(form for one in ids for form in unit_forms(one)))


class Device(Struct, frozen=True):
    """A scanned device at an order."""

    unit: Unit
    """As it is published."""
    ids: tuple[str, ...]
    """Its identifiers in the form of `unit_key`."""
    forms: tuple[str, ...]
    """All keys under which it may be listed or known, as `forms_of` gives them."""


def device_of(ids: tuple[str, ...], order: Order) -> Device:
    """Return a device by its scanned identifiers, under the first identifier that the manifest lists; an MEID in
    hexadecimal (`mqtt.md#published-units`). `ids` are in the form of `unit_key`.
    """
    listed = order.manifest.unit_by_id
    forms = forms_of(ids)
    for form in forms:
        unit = listed.get(form)
        if unit is not None:
            return _listed_device(ids, unit)
    return Device(_published(ids), ids, forms)


def _listed_device(ids: tuple[str, ...], listed: tuple[str, ...]) -> Device:
    """Return a device with the identifiers that the manifest lists, as written there, before the other scanned ones."""
    written: dict[str, str] = {}
    for one in listed:
        written.setdefault(unit_key(one), meid_hex(one))
    others = (one for one in ids if not any(form in written for form in unit_forms(one)))
    unit = _published((*written.values(), *others))
    ids = ids_of(unit)
    return Device(unit, ids, forms_of(ids))


def _published(ids: tuple[str, ...]) -> Unit:
    return Unit(scheme=scheme_of(ids[0]), id=ids[0], aliases=ids[1:])


def line_for(context: StepContext, order: Order, scan: UnitScan, device: Device, mode: Flow) -> Line:
    """Return the line of the mode that takes a scanned device (`workflow.md#scan-a-unit`).

    Raise Refusal with the reason of the first check that fails. A device is refused as counted under any of its
    identifiers (`workflow.md#one-device-counts-once`).
    """
    state, listed, forms = context.state, order.manifest.unit_by_id, device.forms
    for one in scan.ids:
        if imei_form(one) and not luhn_ok(one) and not any(form in listed for form in unit_forms(one)):
            raise Refusal(Reason.BAD_CHECK_DIGIT)
    for one in forms:
        if one in order.counted or one in order.elsewhere_units:
            raise Refusal(Reason.ALREADY_COUNTED)
    for one in forms:
        if one in state.barred:
            raise Refusal(Reason.HELD)
    for one in forms:
        for holder in state.units.get(one, ()):
            if holder != order.id and holder in state.orders and state.orders[holder].is_open:
                raise Refusal(Reason.COUNTED_ELSEWHERE)
    if context.catalogue.is_blocked(*forms):
        raise Refusal(Reason.NOT_ON_ORDER)
    for one in forms:
        if not one.strip("0"):
            raise Refusal(Reason.NOT_ON_ORDER)
    product = scan.sku if scan.with_product else context.station.product
    return _line_that_takes(device.ids, order, scan, mode, product)


def _line_that_takes(ids: tuple[str, ...], order: Order, scan: UnitScan, mode: Flow, product: str | None) -> Line:
    """Return the first line with something pending, unless a line of another product takes the device as well.

    `product` is the SKU that was scanned with the device, or else the selected one.
    """
    manifest = order.manifest
    lines = [line for line in manifest.lines if line.flow is mode and line.serialized and _takes(line, ids, manifest)]
    if not lines:
        raise Refusal(Reason.NOT_ON_ORDER)
    if scan.with_product and scan.sku is None:
        raise Refusal(Reason.WRONG_PRODUCT)
    if product is None and mode is Flow.DISTRIBUTION:
        raise Refusal(Reason.PRODUCT_REQUIRED)
    if product is not None:
        lines = [line for line in lines if same_case(line.sku) == same_case(product)]
        if not lines:
            raise Refusal(Reason.WRONG_PRODUCT)
    lines = [line for line in lines if order.pending_on(line.id) > 0]
    if not lines:
        raise Refusal(Reason.OVER_QUANTITY)
    if any(same_case(line.sku) != same_case(lines[0].sku) for line in lines[1:]):
        raise Refusal(Reason.PRODUCT_REQUIRED)
    return lines[0]


def _takes(line: Line, ids: tuple[str, ...], manifest: Manifest) -> bool:
    """Return whether a serialized line takes a device, by any of its identifiers (`scanning.md#what-a-line-takes`).

    The check digits of identifiers that are not listed are known to be right.
    """
    for one in ids:
        if manifest.line_of_unit.get(one) is line:
            return True
        if imei_form(one):
            is_wanted = one[:8] in line.tacs if line.tacs else not line.units and line.serial_length is None
            if is_wanted and (one not in manifest.unit_by_id or imei_ok(one)):
                return True
        elif takes_serial(line, one):
            return True
    return False


def takes_serial(line: Line, key: str) -> bool:
    """Return whether the length alone lets a line take an identifier (`scanning.md#never-a-serial-number`).

    `key` is in the form of `unit_key`. An MEID has both of its lengths.
    """
    bounds = line.serial_length
    if bounds is None or not _SERIAL_ALPHABET.issuperset(key) or never_serial(key):
        return False
    lengths = _MEID_LENGTHS if meid_form(key) else (len(key),)
    return any(bounds[0] <= length <= bounds[1] for length in lengths)

"""What a code is in the open order: a product, a unit, the label of a box, or something that only looks like a unit."""

from collections.abc import Iterable

from agent.contract.check_digits import is_digits
from agent.contract.identifiers import form_of, gtin14, without_check_digit
from agent.contract.manifest import same_case, unit_forms, unit_key
from agent.contract.reasons import Seen
from agent.workflow.gs1 import Elements
from agent.workflow.scan_classes import Product, Recognised, ScanClass, UnitScan
from agent.workflow.state import Order

__all__ = ["is_label_of", "is_unit_of", "lookalike_of", "product_of", "unit_of_gs1"]

_GTIN_LENGTHS = (8, 12, 13, 14)
_PART_NUMBER = "1P"


def product_of(key: str, order: Order | None) -> Product | None:
    """Return the product of the open order with this GTIN, or else this SKU; `key` is in the form of `same_case`."""
    if order is None:
        return None
    sku = order.sku_of(gtin14(key)) if len(key) in _GTIN_LENGTHS and is_digits(key) else None
    if sku is None:
        sku = order.sku_of(key)
    return Product(sku) if sku is not None else None


def is_unit_of(key: str, order: Order | None) -> bool:
    """Return whether a device is listed by the open order, or counted in it and perhaps dropped by a revision.

    `key` is in the form of `unit_key`.
    """
    if order is None:
        return False
    listed, counted, elsewhere = order.manifest.unit_by_id, order.counted, order.elsewhere_units
    return any(form in listed or form in counted or form in elsewhere for form in unit_forms(key))


def is_label_of(key: str, order: Order | None) -> bool:
    """Return whether a box of the open order has this label."""
    if order is None:
        return False
    return any(box.label is not None and same_case(box.label) == key for box in order.boxes.values())


def lookalike_of(key: str, order: Order) -> Seen | None:
    """Return what a text on no list is by the products of the open order (`scanning.md#never-a-serial-number`)."""
    if key.startswith(_PART_NUMBER) and order.sku_of(key[len(_PART_NUMBER) :]) is not None:
        return Seen.GTIN
    gtin = without_check_digit(key)
    return Seen.GTIN if gtin is not None and order.sku_of(gtin) is not None else None


def unit_of_gs1(elements: Elements, order: Order | None) -> ScanClass:
    """Return the one device of GS1 data (`scanning.md#two-units-in-one-scan`), with the product in it if any
    (`scanning.md#product-and-unit-in-one-scan`).
    """
    ids = tuple(dict.fromkeys(unit_key(one) for one in elements.imeis))
    if len(ids) > 1:
        unit = _listed_unit(ids[0], order)
        if unit is None or any(_listed_unit(one, order) is not unit for one in ids):
            return Recognised(Seen.CONCATENATED)
    if elements.serial is not None and unit_key(elements.serial) not in ids:
        ids = (*ids, unit_key(elements.serial))
    if len({unit for one in ids if (unit := _listed_unit(one, order)) is not None}) > 1:
        return Recognised(Seen.CONCATENATED)
    lookalike = _lookalike_of_all(ids, order)
    if lookalike is not None:
        return Recognised(lookalike)
    quantity = elements.quantity
    if elements.gtin is None:
        return UnitScan(ids, quantity=quantity)
    product = product_of(elements.gtin, order)
    return UnitScan(ids, with_product=True, sku=product.sku if product is not None else None, quantity=quantity)


def _listed_unit(key: str, order: Order | None) -> tuple[str, ...] | None:
    """Return all identifiers of the device that the open order lists under this one."""
    if order is None:
        return None
    found = (order.manifest.unit_by_id.get(form) for form in unit_forms(key))
    return next((unit for unit in found if unit is not None), None)


def _lookalike_of_all(ids: Iterable[str], order: Order | None) -> Seen | None:
    """Return what the identifiers in GS1 data are, if a line would take none of them as a serial number."""
    if order is None:
        return None
    seen = [None if is_unit_of(one, order) else lookalike_of(one, order) or _carrier_form(one) for one in ids]
    return seen[0] if all(seen) else None


def _carrier_form(key: str) -> Seen | None:
    """Return what an identifier with letters is by its form, if it is never a serial number
    (`scanning.md#never-a-serial-number`).
    """
    seen = form_of(key) if not is_digits(key) else None
    return seen if seen in (Seen.TRACKING, Seen.ICCID) else None

"""The demo's warehouse: operators, box sizes, one order for each job, and the devices on the shelf.

Orders and reference lists are the messages as a centre retains them (`mqtt.md#manifest`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from agent.contract.check_digits import luhn_ok
from agent.contract.identifiers import gtin_ok, imei_ok, sscc_ok
from agent.contract.manifest import Line, Manifest
from agent.contract.printed_codes import badge_text

__all__ = [
    "BOXES",
    "KIOSK",
    "OPERATORS",
    "ORDERS",
    "SITE",
    "STATION",
    "STOLEN",
    "STRANGER",
    "Shelf",
    "badge_of",
    "phone_of",
    "shelf_of",
    "shelf_of_manifest",
]

SITE = "rtm1"
KIOSK = "demo"
STATION = "1"

_DIGITS = "0123456789"


def _imei(tac: str, serial: int) -> str:
    body = f"{tac}{serial:06d}"
    return next(body + digit for digit in _DIGITS if luhn_ok(body + digit))


def _gtin(item: int) -> str:
    """Return a GTIN-13 under GS1's prefix for examples."""
    body = f"950600{item:06d}"
    return next(body + digit for digit in _DIGITS if gtin_ok(body + digit))


def _label(serial: int) -> str:
    body = f"0952012{serial:010d}"
    return next(body + digit for digit in _DIGITS if sscc_ok(body + digit))


STRANGER = _imei("35209900", 176148)
"""A phone that is on no order."""

_BADGES = {"E7": badge_text("DEMOE7K4QX"), "E8": badge_text("DEMOE8M2WZ"), "E9": badge_text("DEMOE9T6RB")}

OPERATORS: Mapping[str, Any] = {
    "revision": 1,
    "items": [
        {"operator": "E7", "name": "Noor", "badges": [_BADGES["E7"]], "roles": ["picking", "packing", "shipping"]},
        {"operator": "E8", "name": "Sam", "badges": [_BADGES["E8"]], "roles": ["picking", "packing", "shipping"]},
        {"operator": "E9", "name": "Ida", "badges": [_BADGES["E9"]], "roles": ["shipping"]},
    ],
}

BOXES: Mapping[str, Any] = {
    "revision": 1,
    "items": [
        {"code": "S", "length_mm": 200, "width_mm": 150, "height_mm": 100},
        {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150},
        {"code": "L", "length_mm": 400, "width_mm": 300, "height_mm": 250},
    ],
}


class Shelf(Struct, frozen=True, kw_only=True):
    """What can be scanned for one order; the words `imei 1`, `serial 2`, `product 1` count from 1.

    `imeis` and `serials` pair a barcode with its line; `products` are the lines' barcodes, in the lines' order.
    """

    imeis: tuple[tuple[str, str], ...] = ()
    serials: tuple[tuple[str, str], ...] = ()
    products: tuple[str, ...]
    labels: tuple[str, ...]


def badge_of(operator: str) -> str | None:
    """Return the barcode of an operator's badge; None for an operator who is not on the list."""
    return _BADGES.get(operator)


def phone_of(serial: int) -> str:
    """Return the IMEI of one phone of a model of which there are a million."""
    return _imei("35693803", serial)


def _order(order: str, *lines: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
    roles = {"picking": "E7", "packing": "E8", "shipping": "E9"}
    message = {"order": order, "revision": 1, "type": "normal", "status": "open", "operators": roles}
    return {**message, "lines": list(lines), **more}


def _line(number: str, sku: str, name: str, quantity: int, **more: Any) -> Mapping[str, Any]:
    return {"line": number, "sku": sku, "name": name, "quantity": quantity, "serialized": True, **more}


_USED = [_imei("35693803", serial) for serial in (14, 22, 39)]
_USED_SECOND_SIM = _imei("35693803", 514)
_BLUE = [_imei("35391110", serial) for serial in (101, 102)]
_RED = [_imei("35391111", serial) for serial in (203, 204)]
_WHITE = _imei("86812304", 77)
_WATCHES = ("FH7XK0A2PL", "FH7XK0A9QM")
_GREEN = [_imei("35693804", serial) for serial in (901, 902, 903)]

STOLEN = _GREEN[0]
"""The centre holds the order of this phone once it is counted: it is reported stolen."""

_SHOP = "distribution"
_USED_UNITS = [[_USED[0], _USED_SECOND_SIM], [_USED[1]], [_USED[2]]]

ORDERS: tuple[Mapping[str, Any], ...] = (
    _order(
        "SO-1001",
        _line("1", "P13-128-BLK", "Phone 13 128 GB black, used", 3, flow="used", gtins=[_gtin(131)], units=_USED_UNITS),
        _line("2", "CASE-13", "Case for Phone 13", 4, flow="used", gtins=[_gtin(132)], serialized=False),
        operators={},
    ),
    _order(
        "DO-2002",
        _line(
            "1", "P14-256-BLU", "Phone 14 256 GB blue", 2, flow="distribution", gtins=[_gtin(141)], tacs=["35391110"]
        ),
        _line("2", "P14-128-RED", "Phone 14 128 GB red", 2, flow="distribution", gtins=[_gtin(142)], tacs=["35391111"]),
    ),
    _order(
        "PO-3003",
        _line("1", "WATCH-8", "Watch 8 41 mm", 2, serial_length=[10, 10]),
        _line("2", "P12-64-WHT", "Phone 12 64 GB white", 1, tacs=["86812304"]),
        _line("3", "CABLE-C", "USB-C cable 1 m", 5, gtins=[_gtin(151)], serialized=False),
        type="pos",
    ),
    _order(
        "MX-4004",
        _line("1", "P13-256-GRN", "Phone 13 256 GB green, used", 2, flow="used", gtins=[_gtin(133)], tacs=["35693804"]),
        _line("2", "BUDS-2", "Earbuds 2", 2, flow="pos", gtins=[_gtin(161)], serialized=False),
    ),
)


def _on_line(line: str, units: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((unit, line) for unit in units)


_SHELVES = {
    "SO-1001": Shelf(imeis=_on_line("1", _USED), products=(_gtin(131), _gtin(132)), labels=(_label(1), _label(2))),
    "DO-2002": Shelf(
        imeis=_on_line("1", _BLUE) + _on_line("2", _RED),
        products=(_gtin(141), _gtin(142)),
        labels=(_label(3), _label(4)),
    ),
    "PO-3003": Shelf(
        imeis=_on_line("2", [_WHITE]),
        serials=_on_line("1", _WATCHES),
        products=("WATCH-8", "P12-64-WHT", _gtin(151)),
        labels=(_label(5), _label(6)),
    ),
    "MX-4004": Shelf(imeis=_on_line("1", _GREEN), products=(_gtin(133), _gtin(161)), labels=(_label(7), _label(8))),
}


def shelf_of(order: str | None) -> Shelf:
    """Return the shelf of an order; without an order, that of the first."""
    return _SHELVES["SO-1001" if order is None else order]


def shelf_of_manifest(manifest: Manifest | None) -> Shelf:
    """Return the shelf of the open order, which need not be one of `ORDERS`: somebody may have imported it.

    The shelf of an imported order has the listed units and, for lines with TACs, phones of these models. It has no
    units for a line that names neither.
    """
    if manifest is None or manifest.order in _SHELVES:
        return shelf_of(None if manifest is None else manifest.order)
    units = [(unit, line.id) for line in manifest.lines if line.serialized for unit in _units_of(line)]
    return Shelf(
        imeis=tuple(pair for pair in units if imei_ok(pair[0])),
        serials=tuple(pair for pair in units if not imei_ok(pair[0])),
        products=tuple(line.gtins[0] if line.gtins else line.sku for line in manifest.lines),
        labels=(_label(9), _label(10)),
    )


def _units_of(line: Line) -> Iterable[str]:
    if line.units:
        return [identifiers[0] for identifiers in line.units]
    return [_imei(line.tacs[0], serial) for serial in range(1, line.quantity + 1)] if line.tacs else []

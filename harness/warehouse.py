"""What a warehouse has: operators with their badges, box sizes, orders, devices; as the messages of the contract."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

from harness.codes import badge, gtin, imei, sscc

__all__ = ["BADGES", "OPERATORS", "SIZES", "TAC", "Supply", "line", "manifest", "refusal_event"]

TAC = "35693803"
"""The type allocation code of the warehouse's phones."""

BADGES = {name: badge(f"TOKEN{name}00") for name in ("E7", "E8", "E9", "P1")}
"""The operators' badges. P1 may only pick."""

OPERATORS: list[dict[str, Any]] = [
    {
        "operator": name,
        "name": f"Operator {name}",
        "badges": [code],
        "roles": ["picking"] if name == "P1" else ["picking", "packing", "shipping"],
    }
    for name, code in BADGES.items()
]

SIZES: list[dict[str, Any]] = [
    {"code": "S", "length_mm": 200, "width_mm": 150, "height_mm": 100},
    {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150},
]


def line(
    name: str, sku: str, quantity: int, *, flow: str | None = "used", serialized: bool = True, **more: Any
) -> dict[str, Any]:
    """Return a line of a manifest; `more` is `gtins`, `tacs`, `units`, `serial_length`."""
    found = {"line": name, "sku": sku, "quantity": quantity, "serialized": serialized, **more}
    return found if flow is None else {**found, "flow": flow}


def manifest(order: str, *lines: Mapping[str, Any], revision: int = 1, **more: Any) -> dict[str, Any]:
    """Return a manifest: open and with every role assigned to E7, unless `more` says otherwise."""
    return {
        "order": order,
        "revision": revision,
        "type": "normal",
        "status": "open",
        "operators": {"picking": "E7", "packing": "E7", "shipping": "E7"},
        "lines": list(lines),
        **more,
    }


class Supply:
    """Makes what nobody has seen before, so that tests that share a kiosk do not meet in one order or device."""

    def __init__(self, tac: str = TAC) -> None:
        self.tac = tac
        self._numbers = itertools.count(1)

    def number(self) -> int:
        return next(self._numbers)

    def imei(self) -> str:
        return imei(self.tac, self.number())

    def imeis(self, count: int) -> list[str]:
        return [self.imei() for _ in range(count)]

    def gtin(self) -> str:
        return gtin(f"95060{self.number():07d}")

    def sku(self) -> str:
        return f"SKU-{self.number()}"

    def order(self) -> str:
        return f"SO-{self.number()}"

    def serial(self) -> str:
        """Return a serial number of ten characters that has the form of no other identifier."""
        return f"F{self.number():08d}K"

    def label(self) -> str:
        return sscc(self.number())


def refusal_event(
    number: int, *, journal: str = "3F0C9A1B", boot: str = "7d1e40aa", source: str = "/kiosk/rtm1/dock-3"
) -> bytes:
    """Return the document of event `number` of a kiosk: a refused scan."""
    data = {
        "reason": "unreadable", "code": "X", "seen": None, "symbology": None, "scanner": "left", "order": None,
        "count": 1,
    }  # fmt: skip
    document = {
        "specversion": "1.0", "id": f"{journal}-{number:012d}-{boot}", "source": source,
        "type": "kiosk.scan.rejected.v1", "time": "2026-11-22T17:53:01.123Z", "datacontenttype": "application/json",
        "sequence": f"{number:012d}", "bootid": f"{boot}-0000-4000-8000-000000000000", "uptimems": "812345",
        "clocksynced": True, "data": data,
    }  # fmt: skip
    return json.dumps(document, separators=(",", ":")).encode()

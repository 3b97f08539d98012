"""Manifests and lists for the tests, as JSON values, and their parsed forms."""

import copy
import json
from typing import Any

from agent.contract.manifest import Manifest
from agent.contract.messages import manifest_of, operators_of
from agent.contract.operators import Operators

__all__ = ["GONE", "MANIFEST", "changed", "manifest", "operators", "payload"]

GONE = object()
"""For `changed`: take the field away."""

MANIFEST: dict[str, Any] = {
    "order": "SO-1001",
    "revision": 3,
    "type": "normal",
    "status": "open",
    "barcodes": ["SO-1001", "Desk-7"],
    "operators": {"picking": "E7", "packing": "E8", "shipping": "E9"},
    "lines": [
        {
            "line": "1",
            "sku": "P13-128-BLK",
            "name": "Phone 13 128 GB black",
            "gtins": ["9506000134352"],
            "flow": "used",
            "serialized": True,
            "quantity": 10,
            "tacs": ["49015420"],
            "units": [["490154203237518", "490154203237526"], ["SNabc1"]],
            "serial_length": [8, 12],
        },
        {"line": "2", "sku": "CASE-13", "flow": "used", "serialized": False, "quantity": 2},
    ],
    "counted": [{"line": "2", "quantity": 1, "units": [], "box": "9A77000000000001"}],
}


def changed(document: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """A copy of `document` with `value` at `path`."""
    new = copy.deepcopy(document)
    place: Any = new
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return new


def payload(document: object) -> bytes:
    return json.dumps(document).encode()


def manifest(order: str = "SO-1001", **fields: object) -> Manifest:
    """`MANIFEST` under another order id and with other top-level fields."""
    return manifest_of(order, payload({**MANIFEST, "order": order, "barcodes": [], **fields}), topic="t")


def operators(badges: dict[str, list[str]], *, revision: int = 1, salt: str | None = None) -> Operators:
    """An operators list of {operator: badges}."""
    items = [{"operator": operator, "badges": listed} for operator, listed in badges.items()]
    return operators_of(payload({"revision": revision, "salt": salt, "items": items}), topic="t")

"""Messages for the tests, as JSON values, and their parsed forms."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from agent.contract.cloudevents import Envelope
from agent.contract.manifest import Manifest
from agent.contract.messages import manifest_of, operators_of
from agent.contract.operators import Operators
from agent.contract.refused import MessageRefused

__all__ = [
    "ENVELOPE",
    "GONE",
    "JSON",
    "MANIFEST",
    "changed",
    "manifest",
    "operators",
    "outcome",
    "parse",
    "payload",
    "refusal",
]

ENVELOPE = Envelope(
    source="/kiosk/rtm1/dock-3",
    journal="3F0C9A1B",
    boot_id="7d1e40aa-0000-0000-0000-000000000000",
    time="2026-11-22T17:53:01.123Z",
    uptime_ms=812345,
    clock_synced=True,
)
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value."""


def outcome(read: Callable[[bytes], object], data: bytes) -> object:
    """What a reader makes of a message: what it read, or its refusal."""
    try:
        return read(data)
    except MessageRefused as refused:
        return refused


TOPIC = "kiosk/v1/rtm1/order/SO-1001"


def parse(data: bytes) -> Manifest:
    """The manifest in a message on the topic of `MANIFEST`."""
    return manifest_of("SO-1001", data, topic=TOPIC)


def refusal(data: bytes) -> MessageRefused:
    """The refusal of such a message, which must be one."""
    with pytest.raises(MessageRefused) as refused:
        parse(data)
    assert refused.value.topic == TOPIC
    assert str(refused.value).isprintable()
    return refused.value

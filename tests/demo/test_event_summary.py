"""Events in a few words."""

import json
from typing import Any

import pytest

from agent.demo.event_summary import EventSummary, summary_of


def document(kind: str, **data: Any) -> bytes:
    return json.dumps({"sequence": "000000000007", "type": f"kiosk.{kind}.v1", "data": data}).encode()


def test_what_is_taken_from_the_document() -> None:
    data = {"order": "MX-4004", "unit": {"id": "356938030000017"}, "sku": "P13", "quantity": 1}
    assert summary_of(document("scan.accepted", **data)) == EventSummary(
        sequence=7,
        kind="scan.accepted",
        text="P13 356938030000017",
        order="MX-4004",
        unit="356938030000017",
    )


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("order.opened", {"order": "SO-1", "mode": "used"}, "SO-1 used"),
        ("scan.accepted", {"order": "SO-1", "sku": "CASE", "unit": None, "quantity": 3}, "CASE × 3"),
        ("box.confirmed", {"size": {"code": "M"}, "contents": [{"quantity": 2}, {"quantity": 1}]}, "M 3 pieces"),
        ("operator.signed_in", {"operator": "E7"}, "E7"),
    ],
)
def test_the_words_of_an_event(kind: str, data: dict[str, Any], text: str) -> None:
    assert summary_of(document(kind, **data)).text == text

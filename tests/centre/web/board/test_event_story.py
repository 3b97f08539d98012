"""What events say in words."""

import json
from typing import Any

import pytest

from agent.contract.events import EVENTS
from centre.store.story_rows import StoryRow
from centre.web.board.event_story import StoryEntry, story_entry
from centre.web.board.naming import Naming

NAMING = Naming(operators={("rtm1", "E7"): "Max Bauer"})


def told(type: str, data: Any, *, naming: Naming = NAMING, state: str = "projected", **document: Any) -> StoryEntry:
    body = {"station": "1", "operator": "E7", "data": data, **document}
    row = StoryRow(
        position=1, type=f"kiosk.{type}.v1", order_name="SO-1", time="2026-11-22T12:00:00.000Z",
        received_at="2026-11-22T12:00:00.000Z", state=state, document=json.dumps(body).encode(), site="rtm1",
        kiosk="dock-3",
    )  # fmt: skip
    return story_entry(row, naming)


UNIT = {"scheme": "imei", "id": "490154203237518", "aliases": []}
CONTENTS = [
    {"line": "1", "sku": "A", "quantity": 3, "units": []},
    {"line": "2", "sku": "B", "quantity": 1, "units": []},
]

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("operator.signed_in", {"operator": "E7", "cause": "badge"}, "Signed in", "by badge"),
    ("operator.signed_out", {"operator": "E7", "cause": "idle"}, "Signed out", "by idle"),
    ("order.opened", {"order": "SO-1", "revision": 4, "mode": None}, "Opened", "revision 4"),
    ("order.left", {"order": "SO-1", "revision": 4, "mode": None}, "Put down", ""),
    ("order.role_asked", {"order": "SO-1", "role": None}, "Role asked", "dropped"),
    ("order.assigned", {"order": "SO-1", "role": "packing", "operator": "E7"}, "Assigned", "packing"),
    ("order.mode_chosen", {"order": "SO-1", "mode": "pos"}, "Mode chosen", "pos"),
    ("order.kind_chosen", {"order": "SO-1", "kind": "auto"}, "Kind chosen", "auto"),
    ("order.packing_started", {"order": "SO-1"}, "Packing started", ""),
    ("order.packing_left", {"order": "SO-1"}, "Back to scanning", ""),
    ("order.packing_refused", {"order": "SO-1", "reason": "quantity_mismatch", "lines": [
        {"line": "1", "ordered": 3, "scanned": 2}, {"line": "2", "ordered": 1, "scanned": 1}]},
     "Packing refused", "line 1 has 2 of 3"),
    ("order.packing_confirmed", {"order": "SO-1", "revision": 1, "lines": [], "boxes": [], "operators": {}}, "Packed",
     ""),
    ("order.revised", {"order": "SO-1", "revision": 5, "status": "open", "misfits": [{}]}, "Manifest taken",
     "revision 5, open, 1 line has more counted than ordered"),
    ("order.counted", {"order": "SO-1", "added": [{}, {}], "removed": ["x"]}, "Told of other kiosks' boxes",
     "2 boxes new or changed, 1 gone"),
    ("order.held", {"verdict": "v", "order": "SO-1", "unit": None, "reason": "wrong lot", "outcome": None}, "Held",
     "the whole order: wrong lot"),
    ("order.released", {"verdict": "v", "order": "SO-1", "unit": "4901", "reason": None, "outcome": "unit_removed"},
     "Hold ended", "4901: the unit was taken out"),
    ("scan.selected", {"order": "SO-1", "what": "quantity", "value": "12"}, "Selected", "quantity 12"),
    ("scan.selected", {"order": "SO-1", "what": "none", "value": None}, "Selected", "nothing any longer"),
    ("scan.accepted", {"unit": UNIT, "quantity": 1, "box": "B"}, "Counted", "490154203237518"),
    ("scan.accepted", {"unit": None, "quantity": 5, "sku": "CBL", "box": "B"}, "Counted", "5 × CBL"),
    ("scan.rejected", {"reason": "wrong_barcode", "code": "8931", "seen": "iccid", "count": 7}, "Refused",
     "8931: wrong barcode, it is a SIM card number (ICCID), 7 times"),
    ("scan.voided", {"sequence": "1", "unit": UNIT, "quantity": 1, "box": "B"}, "Taken out", "490154203237518"),
    ("box.created", {"box": "B", "contents": CONTENTS}, "Box created", "4 pieces"),
    ("box.reopened", {"box": "B", "contents": CONTENTS, "state": "scanning"}, "Box reopened", "4 pieces"),
    ("box.voided", {"box": "B", "contents": []}, "Box dissolved", ""),
    ("box.sized", {"box": "B", "size": "M", "label": "L1"}, "Box sized", "size M, label L1"),
    ("box.confirmed", {"box": "B", "contents": CONTENTS, "size": {"code": "M"}, "label": None}, "Box confirmed",
     "4 pieces, size M"),
    ("event.undeliverable", {"type": "kiosk.scan.accepted.v1", "reason": "too large", "bytes": 1}, "Undeliverable",
     "kiosk.scan.accepted.v1: too large"),
]  # fmt: skip


@pytest.mark.parametrize(("type", "data", "title", "text"), CASES)
def test_each_type_is_told_in_words(type: str, data: dict[str, Any], title: str, text: str) -> None:
    entry = told(type, data)
    assert (entry.title, entry.text) == (title, text)


def test_no_type_of_the_contract_is_left_out() -> None:
    assert {case[0] for case in CASES} == {*EVENTS, "event.undeliverable"}


def test_place_and_person() -> None:
    entry = told("scan.accepted", {"unit": UNIT, "box": "B"})
    assert (entry.place, entry.operator, entry.box) == ("dock-3", "Max Bauer", "B")
    assert told("scan.accepted", {"unit": UNIT}, operator="E9").operator == "E9"
    assert told("scan.accepted", {"unit": UNIT}, naming=Naming()).operator is None


def test_what_the_centre_brings_about_is_nobody_s_doing() -> None:
    assert told("order.held", {"verdict": "v", "unit": None, "reason": None}).operator is None


def test_clock_that_was_not_set_and_events_that_wait_are_noted() -> None:
    assert told("order.left", {}, clocksynced=False).note == "time of receipt"
    assert told("order.left", {}, state="waiting").note == "waits for earlier events"


@pytest.mark.parametrize(
    ("type", "data"),
    [("scan.weighed", {}), ("scan.accepted", {"unit": {}}), ("scan.rejected", {}), ("box.confirmed", {"contents": 3}),
     ("order.packing_refused", {"lines": [{}]}), ("scan.accepted", [])],
)  # fmt: skip
def test_what_is_not_understood_is_shown_by_its_type(type: str, data: Any) -> None:
    entry = told(type, data)
    assert (entry.title, entry.text) == ("Not understood", f"kiosk.{type}.v1")


def test_event_whose_document_is_forgotten() -> None:
    row = StoryRow(1, "kiosk.box.confirmed.v1", "SO-1", "2026-11-22T12:00:00.000Z", "", "projected", b"", "rtm1", "a")
    entry = story_entry(row, NAMING)
    assert (entry.title, entry.text, entry.place) == ("Box confirmed", "its details are deleted", "a")


def test_long_text_is_cut() -> None:
    entry = told("scan.rejected", {"reason": "unreadable", "code": "x" * 5000})
    assert len(entry.text) == 301

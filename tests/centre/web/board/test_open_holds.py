import json

from centre.store.story_rows import StoryRow
from centre.web.board.bench_facts import OpenHold
from centre.web.board.open_holds import hold_sentence, open_holds


def said(type: str, verdict: str, unit: str | None = None, order: str = "SO-1", kiosk: str = "dock-1") -> StoryRow:
    document = json.dumps({"data": {"verdict": verdict, "unit": unit, "reason": "why"}}).encode()
    return StoryRow(1, f"kiosk.order.{type}.v1", order, "", "", "projected", document, "rtm1", kiosk)


def test_hold_lasts_until_its_release() -> None:
    events = [said("held", "v1", "A"), said("held", "v2", "B"), said("released", "v1", "A"), said("held", "v3")]
    assert open_holds(events) == {
        ("rtm1", "dock-1", "SO-1"): [OpenHold(unit="B", reason="why"), OpenHold(reason="why")]
    }


def test_release_at_one_kiosk_does_not_end_the_hold_at_another() -> None:
    events = [said("held", "v1"), said("held", "v1", kiosk="dock-2"), said("released", "v1")]
    assert list(open_holds(events)) == [("rtm1", "dock-2", "SO-1")]


def test_what_cannot_be_read_holds_nothing() -> None:
    assert open_holds([said("held", "v1")._replace(document=b"{")]) == {}


def test_sentence_ends_once() -> None:
    assert "lot. Leave it" in hold_sentence(OpenHold(reason="wrong lot."), "SO-1")

"""What other kiosks have counted, as the centre tells it in parts (`workflow.md#counted-at-another-kiosk`)."""

from typing import Any

from agent.contract.events import OrderCounted
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.reply import Alarm
from tests.workflow.bench import JOURNAL, LINE_DONE, OK, ORDER_DONE, Bench, imei, line, refused

ONE, TWO, THREE = imei(1), imei(2), imei(3)
COUNTED = refused(Reason.ALREADY_COUNTED, Signal.AGAIN)


def box(id: str, *units: str, cases: int = 0) -> dict[str, Any]:
    """A box of another kiosk, with devices of line 1 and pieces of line 2."""
    contents: list[dict[str, Any]] = [{"line": "1", "quantity": len(units), "units": units}] if units else []
    if cases:
        contents.append({"line": "2", "quantity": cases})
    return {"box": id, "kiosk": "dock-4", "contents": contents}


def bench_with(*boxes: dict[str, Any]) -> Bench:
    """SO-1 wants two phones and two cases; `boxes` were told before it is opened."""
    bench = Bench()
    bench.order(
        "SO-1", line("1", "P13", 2, units=[[ONE, imei(11)], [TWO]]), line("2", "CASE", 2, serialized=False), revision=1
    )
    if boxes:
        bench.counted("SO-1", *boxes)
    return bench


def test_boxes_told_before_the_order_is_opened_count_from_then_on() -> None:
    bench = bench_with(box("4444444400001", ONE, cases=1))
    assert bench.count(OrderCounted) == 0, "nothing is journaled of an order that is not here"
    bench.opened("SO-1")
    assert bench.types() == ["order.opened", "order.counted"]
    assert bench.scan(ONE) == COUNTED
    assert bench.scan(TWO) == LINE_DONE
    assert bench.scan("CASE") == ORDER_DONE


def test_boxes_told_while_the_order_is_open_count_at_once() -> None:
    bench = bench_with()
    bench.opened("SO-1")
    assert bench.counted("SO-1", box("B1", ONE)) == []
    event = bench.last(OrderCounted)
    assert ([one.box for one in event.added], event.removed) == (["B1"], ())
    assert bench.scan(ONE) == COUNTED
    assert bench.here.total_scanned == 1


def test_only_differences_are_journaled() -> None:
    bench = bench_with(box("B1", ONE))
    bench.opened("SO-1")
    bench.counted("SO-1", box("B1", ONE), box("B2", cases=1), revision=2)
    event = bench.last(OrderCounted)
    assert ([one.box for one in event.added], event.removed) == (["B2"], ())
    bench.counted("SO-1", box("B2", cases=2), revision=3)
    told = [event for event in bench.new if isinstance(event, OrderCounted)]
    assert [(event.removed, [one.box for one in event.added]) for event in told] == [(("B1",), []), ((), ["B2"])]
    before = bench.count(OrderCounted)
    bench.counted("SO-1", box("B2", cases=2), revision=4)
    assert bench.count(OrderCounted) == before
    assert (bench.here.elsewhere.get("1"), bench.here.elsewhere["2"]) == (None, 2)


def test_the_union_of_the_parts_counts() -> None:
    bench = bench_with()
    bench.opened("SO-1")
    bench.counted("SO-1", box("B1", ONE), part="a")
    bench.counted("SO-1", box("B2", TWO), part="b")
    assert bench.here.elsewhere["1"] == 2
    bench.catalogue.drop_counted("SO-1", "a")
    bench.counted("SO-1", box("B2", TWO), part="b", revision=2)
    assert bench.here.elsewhere["1"] == 1
    assert bench.scan(ONE) == LINE_DONE


def test_own_boxes_are_left_out() -> None:
    bench = bench_with()
    bench.opened("SO-1")
    assert bench.scan(ONE) == OK
    own = bench.here.open_box
    assert own is not None
    bench.counted("SO-1", box(own, ONE))
    assert bench.count(OrderCounted) == 0
    assert (bench.here.total_scanned, dict(bench.here.elsewhere)) == (1, {})


def test_an_own_box_that_was_voided_is_left_out_too() -> None:
    """The centre's part may still name it: the event that voids it is on its way."""
    bench = bench_with()
    bench.opened("SO-1")
    bench.scan(ONE)
    own = bench.here.open_box
    assert own is not None
    bench.do("SAVE")
    bench.do("CANCEL")
    bench.do("UNDO")
    bench.counted("SO-1", box(own, ONE))
    assert bench.scan(ONE) == OK


def test_a_box_that_an_old_copy_does_not_know_counts_as_elsewhere() -> None:
    """`mqtt.md#rolled-back-journal`: the box was made after the copy of the journal that goes on now."""
    bench = bench_with()
    bench.opened("SO-1")
    lost = f"{JOURNAL}000007"
    bench.counted("SO-1", box(lost, ONE))
    assert bench.scan(ONE) == COUNTED
    bench.start_over("22222222")
    assert bench.scan(TWO) == LINE_DONE


def test_the_parts_are_right_about_a_box_that_the_manifest_names_too() -> None:
    bench = Bench()
    bench.order(
        "SO-1",
        line("2", "CASE", 5, serialized=False),
        counted=[{"line": "2", "quantity": 3, "box": "B1"}, {"line": "2", "quantity": 1, "box": "B2"}],
    )
    bench.opened("SO-1")
    assert bench.here.elsewhere["2"] == 4
    bench.counted("SO-1", box("B1", cases=2))
    assert bench.here.elsewhere["2"] == 3
    bench.order("SO-1", line("2", "CASE", 5, serialized=False), revision=2)
    assert bench.here.elsewhere["2"] == 2, "a manifest without `counted` says nothing about the parts"


def test_more_counted_than_ordered_sounds_alarm_once() -> None:
    bench = bench_with()
    bench.opened("SO-1")
    assert bench.scan(ONE) == OK
    alarm = [Alarm(station="1", reason=Reason.QUANTITY_MISMATCH)]
    assert bench.counted("SO-1", box("B1", TWO, THREE)) == alarm
    assert bench.counted("SO-1", box("B1", TWO, THREE), box("B2"), revision=2) == []
    bench.save()
    assert bench.do("PACK") == refused(Reason.QUANTITY_MISMATCH)


def test_units_counted_elsewhere_cannot_be_taken_out_here() -> None:
    bench = bench_with(box("B1", ONE))
    bench.opened("SO-1")
    bench.do("REMOVE")
    assert bench.scan(ONE) == refused(Reason.NOT_IN_BOX)


def test_a_restart_keeps_what_was_told() -> None:
    """`workflow.md#restart-keeps-the-state`"""
    bench = bench_with(box("B1", ONE))
    bench.opened("SO-1")
    bench.restart()
    assert bench.scan(ONE) == COUNTED


def test_much_is_told_in_several_events() -> None:
    """`mqtt.md#event-documents`: no event is over 64 KiB."""
    bench = bench_with()
    bench.opened("SO-1")
    many = [box(f"B{n}", *(f"{n:03d}-{i:04d}-{'x' * 50}" for i in range(500))) for n in range(4)]
    bench.thorough = False
    for n, one in enumerate(many):
        bench.counted("SO-1", one, part=str(n))
    bench.order("SO-1", line("1", "P13", 2), revision=2)
    again = Bench()
    again.order("SO-1", line("1", "P13", 2))
    again.thorough = False
    for n, one in enumerate(many):
        again.counted("SO-1", one, part=str(n))
    again.opened("SO-1")
    assert [len(event.added) for event in again.new if isinstance(event, OrderCounted)] == [1, 1, 1, 1]
    assert all(len(document) <= 64 * 1024 for commit in again.commits for document in commit.documents)
    gone = [box(f"B{n}") for n in range(500)]
    again.counted("SO-1", *gone[:250], part="x")
    again.counted("SO-1", part="x", revision=2)
    assert sorted(len(event.removed) for event in again.new if isinstance(event, OrderCounted)) == [46, 200]


def test_a_packed_order_is_left_in_peace() -> None:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1))
    bench.opened("SO-1")
    bench.scan(ONE)
    bench.save()
    bench.do("PACK")
    bench.do("CONFIRM")
    assert bench.counted("SO-1", box("B1", TWO)) == []
    assert bench.state.orders["SO-1"].packed == 1

"""Dropping the details of orders that were packed long ago."""

import pytest

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow import closed_orders
from agent.workflow.closed_orders import drop_details, orders_to_drop
from tests.workflow.bench import (
    CONFIRMED,
    OK,
    ORDER_DONE,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)


def packed() -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1))
    bench.opened("SO-1")
    bench.scan(ONE)
    bench.save()
    bench.do("PACK")
    assert bench.do("CONFIRM") == CONFIRMED
    return bench


def dropped() -> Bench:
    """`packed`, with only the order's id and revision left in the state."""
    bench = packed()
    bench.state = bench.shadow = drop_details(bench.state, ["SO-1"])
    assert "SO-1" not in bench.state.orders
    return bench


def test_dropped_order_stays_closed() -> None:
    """`workflow.md#packed-orders-stay-closed`"""
    bench = dropped()
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)
    bench.order("SO-1", line("1", "P13", 1), revision=2)
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)


def test_dropped_order_reopened_takes_what_the_centre_counted_in_our_boxes() -> None:
    """`workflow.md#packed-orders-stay-closed`, `workflow.md#counted-at-another-kiosk`"""
    bench = dropped()
    counted = [{"line": "1", "quantity": 1, "units": [ONE], "box": "3F0C9A1B000001"}]
    bench.order("SO-1", line("1", "P13", 2), revision=2, reopen=2, counted=counted)
    for _ in range(2):
        assert bench.scan("SO-1") == OK
        assert bench.here.scanned_on("1") == 1
        assert bench.scan(ONE) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)
        bench.do("CLOSE")
    bench.scan("SO-1")
    assert bench.scan(TWO) == ORDER_DONE


def three_packed() -> Bench:
    """SO-1, SO-2 and SO-3 are packed, in this order."""
    bench = Bench()
    for number in (1, 2, 3):
        bench.order(f"SO-{number}", line("1", "P13", 1))
        bench.opened(f"SO-{number}")
        bench.scan(imei(number))
        bench.save()
        assert [bench.do("PACK"), bench.do("CONFIRM")][1] == CONFIRMED
    return bench


def test_oldest_packed_orders_are_dropped_first(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = three_packed()
    assert orders_to_drop(bench.state) == []
    monkeypatch.setattr(closed_orders, "KEEP_ENTRIES", 4)  # an order counts one more than its entries
    assert orders_to_drop(bench.state) == ["SO-1"]
    bench.order("SO-1", line("1", "P13", 2), revision=2, reopen=2)
    assert orders_to_drop(bench.state) == []
    assert drop_details(bench.state, ["SO-1", "SO-9"]) == bench.state


def test_only_so_many_packed_ids_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = three_packed()
    monkeypatch.setattr(closed_orders, "KEEP_PACKED", 2)
    state = drop_details(bench.state, ["SO-1", "SO-2", "SO-3"])
    assert set(state.packed) == {"SO-2", "SO-3"}
    assert not state.orders

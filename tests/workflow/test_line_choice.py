"""The line that takes a device."""

from typing import Any

import pytest

from agent.contract.events import Accepted, Unit
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from tests.workflow.bench import (
    AGAIN,
    LINE_DONE,
    OK,
    ORDER_DONE,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)


def bench_with(*lines: dict[str, Any], **more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", *lines, **more)
    bench.opened("SO-1")
    return bench


def test_unit_of_several_identifiers_counts_once_under_the_first() -> None:
    """`workflow.md#one-device-counts-once`, `mqtt.md#published-units`"""
    bench = bench_with(line("1", "P13", 2, units=[[ONE, TWO, "SerialA"], [THREE]]))
    assert bench.scan("seriala") == OK
    assert bench.last(Accepted).unit == Unit(scheme="imei", id=ONE, aliases=(TWO, "SerialA"))
    assert bench.scan(TWO) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)
    assert bench.scan(ONE) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)
    assert bench.scan(THREE) == ORDER_DONE


@pytest.mark.parametrize(
    ("takes", "code", "reason"),
    [
        ({"units": [[ONE]]}, ONE, None),
        ({"units": [[ONE]]}, TWO, Reason.NOT_ON_ORDER),
        ({"tacs": ["35000000"]}, ONE, None),
        ({"tacs": ["86000000"]}, ONE, Reason.NOT_ON_ORDER),
        ({"tacs": ["86000000"], "units": [[ONE]]}, ONE, None),
        ({"tacs": ["35000000"], "serial_length": [4, 6]}, "AB12", None),
        ({"serial_length": [4, 6]}, "AB12CD", None),
        ({"serial_length": [4, 6]}, ONE, Reason.NOT_ON_ORDER),
        ({"serial_length": [4, 20]}, ONE, Reason.NOT_ON_ORDER),
        ({"serial_length": [4, 6]}, "AB1", Reason.UNKNOWN_CODE),
        ({"serial_length": [4, 6]}, "AB12CDE", Reason.UNKNOWN_CODE),
        ({"serial_length": [4, 6]}, "AB-12", Reason.UNKNOWN_CODE),
        ({"serial_length": [4, 6]}, "１２３４", Reason.UNKNOWN_CODE),
        ({"serial_length": [8, 40]}, "4901542032375107", Reason.WRONG_BARCODE),
        ({"serial_length": [8, 40]}, "49015420323752", Reason.WRONG_BARCODE),
        ({"serial_length": [8, 40]}, "9506000134352", Reason.WRONG_BARCODE),
        ({"serial_length": [8, 40]}, "8944110065123456783", Reason.WRONG_BARCODE),
        ({"serial_length": [8, 40]}, "89049032000000000000001234567857", Reason.WRONG_BARCODE),
        ({"serial_length": [8, 40]}, ONE + TWO, Reason.WRONG_BARCODE),
        ({"serial_length": [8, 40]}, "490154203237517", Reason.BAD_CHECK_DIGIT),
        ({"serial_length": [8, 40]}, "AF0123450ABCDE", None),
        ({"units": [["AF0123450ABCDE"]]}, "af0123450abcde", None),
        ({"units": [["4901542032375107"]]}, "4901542032375107", None),
        ({}, ONE, None),
        ({}, "ABC123", Reason.UNKNOWN_CODE),
    ],
)
def test_what_a_line_takes(takes: dict[str, Any], code: str, reason: Reason | None) -> None:
    """`scanning.md#what-a-line-takes`, `scanning.md#never-a-serial-number`"""
    bench = bench_with(line("1", "P13", 9, **takes))
    assert bench.scan(code) == (OK if reason is None else refused(reason))


def test_unit_scheme_of_a_listed_meid() -> None:
    """`mqtt.md#published-units`"""
    bench = bench_with(line("1", "P13", 9, units=[["AF0123450ABCDE"]]))
    bench.scan("AF0123450ABCDE")
    assert bench.last(Accepted).unit == Unit(scheme="meid", id="AF0123450ABCDE")


def test_unit_goes_to_the_first_line_of_its_sku_that_wants_some() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("9", "P13", 1), line("1", "P13", 1))
    assert [bench.scan(ONE), bench.last(Accepted).line] == [LINE_DONE, "9"]
    assert [bench.scan(TWO), bench.last(Accepted).line] == [ORDER_DONE, "1"]


def test_unit_that_several_products_take_needs_the_product() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "P13", 1), line("2", "P14", 2))
    assert bench.scan(ONE) == refused(Reason.PRODUCT_REQUIRED)
    assert bench.scan("p14") == OK
    assert bench.scan(ONE) == OK
    assert bench.last(Accepted).sku == "P14"
    assert bench.scan("P14") == AGAIN
    assert bench.scan(TWO) == LINE_DONE
    assert bench.scan(THREE) == refused(Reason.OVER_QUANTITY)
    assert bench.scan("P13") == OK
    assert bench.scan(THREE) == ORDER_DONE


def test_unit_that_one_product_still_wants_needs_no_product() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "P13", 1), line("2", "P14", 1))
    bench.scan("P13")
    bench.scan(ONE)
    bench.do("CANCEL")
    assert bench.scan(TWO) == ORDER_DONE


def test_distribution_needs_a_product_even_where_there_is_only_one() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "P13", 2, flow="distribution"))
    assert bench.scan(ONE) == refused(Reason.PRODUCT_REQUIRED)


# -- other orders ------------------------------------------------------------------------------------------------


def test_counted_elsewhere_until_the_other_order_is_closed() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "P13", 3))
    bench.scan(ONE)
    bench.order("SO-2", line("1", "P13", 3))
    bench.opened("SO-2", station="2")
    assert bench.scan(ONE, station="2") == refused(Reason.COUNTED_ELSEWHERE)
    bench.order("SO-1", line("1", "P13", 3), revision=2, status="cancelled")
    assert bench.scan(ONE, station="2") == OK


def test_counted_elsewhere_under_an_alias() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "P13", 1, units=[[ONE, TWO]]))
    bench.scan(ONE)
    bench.order("SO-2", line("1", "P13", 3))
    bench.opened("SO-2", station="2")
    assert bench.scan(TWO, station="2") == refused(Reason.COUNTED_ELSEWHERE)


def test_counted_elsewhere_no_longer_when_taken_out() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "P13", 3))
    bench.scan(ONE)
    bench.do("UNDO")
    bench.order("SO-2", line("1", "P13", 3))
    bench.opened("SO-2", station="2")
    assert bench.scan(ONE, station="2") == OK


def test_blocked_unit_is_refused_under_any_identifier() -> None:
    """`workflow.md#scan-a-unit`, `mqtt.md#blocked-units`"""
    bench = bench_with(line("1", "P13", 1, units=[[ONE, TWO]]))
    bench.block(TWO)
    assert bench.scan(ONE) == refused(Reason.NOT_ON_ORDER)

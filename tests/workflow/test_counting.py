"""Counting units and products, and scans that carry both."""

from typing import Any

import pytest

from agent.contract.events import Accepted, Selected, Unit, What
from agent.contract.manifest import Flow
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from tests.workflow.bench import (
    GTIN,
    LINE_DONE,
    OK,
    ORDER_DONE,
    PROMPT,
    REMOVED,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)
GTIN_B = "00012345678905"
GS = "\x1d"


def bench_with(*lines: dict[str, Any], **more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", *lines, **more)
    bench.opened("SO-1")
    return bench


def combined(gtin: str, unit: str, serial: str = "") -> str:
    return f"]d201{gtin}" + (f"21{serial}{GS}" if serial else "") + f"8002{unit}"


# -- units -------------------------------------------------------------------------------------------------------


def test_unit_accepted_tells_the_counts_after_it() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "P13", 3), line("2", "CASE", 4, serialized=False))
    assert bench.scan("]C0" + ONE, scanner="right") == OK
    event = bench.last(Accepted)
    assert (event.order, event.line, event.sku, event.mode) == ("SO-1", "1", "P13", Flow.USED)
    assert event.unit == Unit(scheme="imei", id=ONE)
    assert (event.quantity, event.box, event.scanner, event.symbology) == (1, "3F0C9A1B000001", "right", "C0")
    counts = (event.line_scanned, event.line_pending, event.order_scanned, event.order_pending)
    assert counts == (1, 2, 1, 6)


def test_unit_of_a_scanned_serial_number_is_published_in_capitals() -> None:
    """`mqtt.md#published-units`"""
    bench = bench_with(line("1", "P13", 2, serial_length=[6, 8]))
    assert bench.scan("abc1234") == OK
    assert bench.last(Accepted).unit == Unit(scheme="serial", id="ABC1234")
    assert bench.scan("ABC1234") == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)


def test_distribution_selects_a_product_until_another_is() -> None:
    """`workflow.md#scan-a-product`, `workflow.md#scan-a-unit`"""
    bench = bench_with(
        line("1", "P13", 2, flow="distribution", gtins=[GTIN], tacs=["35000000"]),
        line("2", "P14", 2, flow="distribution", gtins=[GTIN_B], tacs=["86000000"]),
    )
    assert bench.scan(ONE) == refused(Reason.PRODUCT_REQUIRED)
    assert bench.scan("]E0" + GTIN[1:]) == OK
    event = bench.last(Selected)
    assert (event.what, event.value) == (What.PRODUCT, "P13")
    assert bench.scan(ONE) == OK
    assert bench.scan(imei(1, "86000000")) == refused(Reason.WRONG_PRODUCT)
    assert bench.scan(GTIN_B[2:]) == OK
    assert bench.scan(imei(1, "86000000")) == OK
    assert bench.station.product == "P14"


# -- products ----------------------------------------------------------------------------------------------------


def test_product_counts_one_or_the_quantity() -> None:
    """`workflow.md#scan-a-product`, `workflow.md#set-a-quantity`"""
    bench = bench_with(line("1", "CASE", 9, serialized=False))
    assert bench.scan("case") == OK
    assert (bench.last(Accepted).unit, bench.last(Accepted).quantity) == (None, 1)
    assert bench.do("QTY", "5") == PROMPT
    assert (bench.last(Selected).what, bench.last(Selected).value) == (What.QUANTITY, "5")
    assert bench.scan("CASE") == OK
    assert bench.last(Accepted).quantity == 5
    assert bench.scan("CASE") == OK
    assert bench.last(Accepted).quantity == 1
    assert bench.here.total_scanned == 7


def test_quantity_is_of_the_newest_qty() -> None:
    """`workflow.md#set-a-quantity`"""
    bench = bench_with(line("1", "CASE", 9, serialized=False))
    bench.do("QTY", "5")
    bench.do("QTY", "3")
    bench.scan("CASE")
    assert bench.last(Accepted).quantity == 3


def test_quantity_over_several_lines_in_order_or_not_at_all() -> None:
    """`workflow.md#scan-a-product`"""
    bench = bench_with(
        line("1", "CASE", 2, serialized=False),
        line("2", "BAG", 1, serialized=False),
        line("3", "CASE", 3, serialized=False),
        line("4", "CASE", 3, serialized=False, flow="pos"),
    )
    bench.do("MODE", "USED")
    bench.do("QTY", "6")
    assert bench.scan("CASE") == refused(Reason.OVER_QUANTITY)
    assert bench.here.total_scanned == 0
    assert bench.station.quantity is None
    bench.do("QTY", "4")
    assert bench.scan("CASE") == LINE_DONE
    assert [(e.line, e.quantity, e.line_pending) for e in bench.new if isinstance(e, Accepted)] == [
        ("1", 2, 0),
        ("3", 2, 1),
    ]
    assert bench.do("UNDO") == REMOVED
    assert bench.types() == ["scan.voided", "scan.voided"]
    assert bench.here.total_scanned == 0


def test_quantity_waits_for_a_product() -> None:
    """`workflow.md#set-a-quantity`"""
    bench = bench_with(line("1", "P13", 2), line("2", "CASE", 5, serialized=False))
    bench.do("QTY", "4")
    assert bench.scan(ONE) == OK
    assert bench.scan("HELLO") == refused(Reason.UNKNOWN_CODE)
    bench.restart()
    assert bench.scan("CASE") == OK
    assert bench.last(Accepted).quantity == 4


@pytest.mark.parametrize("code", ["P13", combined(GTIN, TWO), combined(GTIN_B, TWO)])
def test_quantity_with_a_serialized_product_is_not_allowed_and_used_up(code: str) -> None:
    """`workflow.md#scan-a-product`, `workflow.md#set-a-quantity`"""
    bench = bench_with(line("1", "P13", 2, gtins=[GTIN]), line("2", "CASE", 5, serialized=False, gtins=[GTIN_B]))
    bench.do("QTY", "4")
    assert bench.scan(code) == refused(Reason.NOT_ALLOWED)
    assert (bench.station.quantity, bench.station.product) == (None, None)


def test_product_over_what_is_pending_is_refused() -> None:
    """`workflow.md#scan-a-product`"""
    bench = bench_with(line("1", "CASE", 1, serialized=False))
    assert bench.scan("CASE") == ORDER_DONE
    assert bench.scan("CASE") == refused(Reason.OVER_QUANTITY)


def test_gtin_compares_as_fourteen_digits() -> None:
    """`scanning.md#comparing-codes`"""
    bench = bench_with(line("1", "CASE", 9, serialized=False, gtins=["012345678905"]))
    for code in ("012345678905", "0012345678905", "00012345678905", "]E0012345678905", "]C10100012345678905"):
        assert bench.scan(code) == OK, code


# -- product and unit in one scan --------------------------------------------------------------------------------


def test_combined_scan_counts_on_a_line_of_the_product_for_this_scan_only() -> None:
    """`scanning.md#product-and-unit-in-one-scan`"""
    bench = bench_with(line("1", "P13", 3, gtins=[GTIN]), line("2", "P14", 3, gtins=[GTIN_B]))
    assert bench.scan(combined(GTIN_B, ONE)) == OK
    assert bench.last(Accepted).sku == "P14"
    assert bench.types() == ["scan.accepted"]
    assert bench.station.product is None
    assert bench.scan(TWO) == refused(Reason.PRODUCT_REQUIRED)


def test_combined_scan_in_distribution_selects_the_product() -> None:
    """`scanning.md#product-and-unit-in-one-scan`"""
    bench = bench_with(*(line(s, s, 3, flow="distribution", gtins=[g]) for s, g in (("P13", GTIN), ("P14", GTIN_B))))
    assert bench.scan(combined(GTIN_B, ONE)) == OK
    assert bench.types() == ["scan.selected", "scan.accepted"]
    assert bench.scan(combined(GTIN_B, TWO)) == OK
    assert bench.types() == ["scan.accepted"]
    assert bench.scan(THREE) == LINE_DONE
    assert bench.last(Accepted).sku == "P14"
    assert bench.scan(combined(GTIN_B, imei(4))) == refused(Reason.OVER_QUANTITY)
    assert bench.scan(combined(GTIN, imei(4))) == OK
    assert bench.station.product == "P13"


def test_combined_scan_refused_selects_nothing() -> None:
    """`scanning.md#product-and-unit-in-one-scan`"""
    bench = bench_with(
        line("1", "P13", 1, flow="distribution", gtins=[GTIN], tacs=["86000000"]),
        line("2", "P14", 1, flow="distribution", gtins=[GTIN_B], tacs=["35000000"]),
    )
    bench.scan("P14")
    assert bench.scan(combined(GTIN, ONE)) == refused(Reason.WRONG_PRODUCT)
    assert bench.station.product == "P14"


def test_combined_scan_overrides_the_selected_product() -> None:
    """`scanning.md#product-and-unit-in-one-scan`"""
    bench = bench_with(line("1", "P13", 3, gtins=[GTIN]), line("2", "P14", 3, gtins=[GTIN_B]))
    bench.scan("P13")
    assert bench.scan(combined(GTIN_B, ONE)) == OK
    assert bench.last(Accepted).sku == "P14"
    assert bench.station.product == "P13"


def test_combined_scan_with_a_product_of_another_order_is_refused_whole() -> None:
    """`scanning.md#product-and-unit-in-one-scan`"""
    bench = bench_with(line("1", "P13", 3, gtins=[GTIN]))
    assert bench.scan(combined("19506000134359", ONE)) == refused(Reason.WRONG_PRODUCT)
    assert bench.here.total_scanned == 0


def test_combined_scan_with_a_product_that_is_not_serialized() -> None:
    """`scanning.md#product-and-unit-in-one-scan`"""
    bench = bench_with(line("1", "P13", 3), line("2", "CASE", 3, serialized=False, gtins=[GTIN]))
    assert bench.scan(combined(GTIN, ONE)) == refused(Reason.NOT_ALLOWED)


def test_combined_scan_takes_the_serial_number_for_an_alias() -> None:
    """`scanning.md#application-identifiers`, `mqtt.md#published-units`"""
    bench = bench_with(line("1", "P13", 3, gtins=[GTIN]))
    assert bench.scan(combined(GTIN, ONE, "abc123")) == OK
    assert bench.last(Accepted).unit == Unit(scheme="imei", id=ONE, aliases=("ABC123",))
    assert bench.scan("]C121ABC123") == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)
    assert bench.scan(ONE) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)


def test_combined_scan_of_a_digital_link() -> None:
    """`scanning.md#when-gs1-is-parsed`, `scanning.md#product-and-unit-in-one-scan`"""
    bench = bench_with(line("1", "P13", 3, gtins=[GTIN]))
    assert bench.scan(f"https://id.gs1.org/01/{GTIN}/21/ABC123?8002={ONE}") == OK
    assert bench.last(Accepted).unit == Unit(scheme="imei", id=ONE, aliases=("ABC123",))


def test_two_imeis_are_one_unit_if_the_manifest_says_so() -> None:
    """`scanning.md#two-units-in-one-scan`"""
    bench = bench_with(line("1", "P13", 3, units=[[ONE, TWO], [THREE]]))
    assert bench.scan(f"]Q38002{ONE}{GS}8002{THREE}") == refused(Reason.WRONG_BARCODE)
    assert bench.scan(f"]Q38002{TWO}{GS}8002{ONE}") == OK
    assert bench.last(Accepted).unit == Unit(scheme="imei", id=ONE, aliases=(TWO,))
    assert bench.here.total_scanned == 1


def test_gs1_without_aim_identifier_needs_a_leading_gs() -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    bench = bench_with(line("1", "P13", 3))
    assert bench.scan(f"{GS}8002{ONE}") == OK
    assert bench.scan(f"8002{TWO}") == refused(Reason.UNKNOWN_CODE)


def test_imei_behind_a_product_symbology_is_never_a_unit() -> None:
    """`scanning.md#aim-identifier`"""
    bench = bench_with(line("1", "P13", 3))
    assert bench.scan("]E0" + ONE) == refused(Reason.WRONG_BARCODE)


def test_imei_and_serial_number_of_two_listed_devices_in_one_scan_are_no_unit() -> None:
    """`scanning.md#two-units-in-one-scan`"""
    bench = bench_with(line("1", "P13", 2, units=[[imei(1), "SER0001"], [imei(2), "SER0002"]]))
    assert bench.scan(f"]d221SER0002\x1d8002{imei(1)}") == refused(Reason.WRONG_BARCODE)
    assert bench.scan(f"]d221SER0001\x1d8002{imei(1)}") == OK


# -- a quantity on the label -------------------------------------------------------------------------------------

CASE, PHONE = f"]C101{GTIN}", f"]C101{GTIN_B}"


def cases() -> Bench:
    return bench_with(
        line("1", "CASE", 20, serialized=False, gtins=[GTIN]), line("2", "P13", 3, gtins=[GTIN_B], units=[[ONE]])
    )


def test_quantity_on_the_label_counts_that_many() -> None:
    """`scanning.md#quantity-on-the-label`"""
    bench = cases()
    assert bench.scan(CASE + "3010") == OK
    assert bench.last(Accepted).quantity == 10
    assert bench.scan(CASE + "3011") == refused(Reason.OVER_QUANTITY)
    assert bench.scan(f"https://id.gs1.org/01/{GTIN}?30=0010") == LINE_DONE
    assert bench.here.scanned_on("1") == 20


@pytest.mark.parametrize("quantity", ["0", "00000000", "10000", "99999999"])
@pytest.mark.parametrize("product", [CASE, PHONE, f"]C101{GTIN[:-1]}9"])
def test_quantity_on_the_label_out_of_range(quantity: str, product: str) -> None:
    """`scanning.md#quantity-on-the-label`"""
    reason = Reason.UNREADABLE if product.endswith("9") else Reason.BAD_ARGUMENT
    assert cases().scan(f"{product}30{quantity}") == refused(reason)


@pytest.mark.parametrize("code", [PHONE + "305", f"{PHONE}301{GS}8002{ONE}", f"]C1301{GS}8002{ONE}"])
def test_quantity_on_the_label_of_a_phone(code: str) -> None:
    """`scanning.md#quantity-on-the-label`"""
    bench = cases()
    assert bench.scan(code) == refused(Reason.NOT_ALLOWED)
    bench.do("REMOVE")
    assert bench.scan(code) == refused(Reason.NOT_ALLOWED)
    assert not bench.station.remove


@pytest.mark.parametrize(("code", "reason"), [("3010", Reason.NOT_ALLOWED), ("300", Reason.BAD_ARGUMENT)])
def test_quantity_on_the_label_uses_up_a_pending_quantity(code: str, reason: Reason) -> None:
    """`scanning.md#quantity-on-the-label`"""
    bench = cases()
    bench.do("QTY", "3")
    assert bench.scan(CASE + code) == refused(reason)
    assert bench.station.quantity is None
    assert bench.here.total_scanned == 0


def test_quantity_on_the_label_takes_out_that_many() -> None:
    """`scanning.md#quantity-on-the-label`, `workflow.md#remove-a-product`"""
    bench = cases()
    bench.scan(CASE + "3012")
    bench.do("REMOVE")
    assert bench.scan(CASE + "3010") == REMOVED
    assert bench.here.scanned_on("1") == 2
    bench.do("REMOVE")
    assert bench.scan(CASE + "303") == refused(Reason.NOT_IN_BOX)
    bench.do("REMOVE")
    bench.do("QTY", "2")
    assert bench.scan(CASE + "301") == refused(Reason.NOT_ALLOWED)
    bench.do("REMOVE")
    assert bench.scan(CASE + "300") == refused(Reason.BAD_ARGUMENT)
    assert not bench.station.remove


def test_quantity_on_the_label_read_twice_is_a_bounce() -> None:
    """`scanning.md#quantity-on-the-label`, `scanning.md#bounce`"""
    bench = cases()
    bench.scan(CASE + "305")
    assert bench.scan(CASE + "305", after=0.1).signal is Signal.AGAIN
    assert bench.here.scanned_on("1") == 5


# -- one product on several lines --------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
def test_product_on_lines_of_both_kinds_counts_pieces_and_devices_apart(first: bool) -> None:
    """`workflow.md#scan-a-product`, `workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "A", 2, serialized=first), line("2", "A", 2, serialized=not first))
    devices, pieces = ("1", "2") if first else ("2", "1")
    assert bench.scan("A") == OK
    assert (bench.last(Accepted).line, bench.last(Accepted).unit) == (pieces, None)
    assert bench.scan(ONE) == OK
    assert bench.last(Accepted).line == devices
    bench.do("QTY", "2")
    assert bench.scan("A") == refused(Reason.OVER_QUANTITY)


def test_product_is_of_the_kind_that_its_lines_of_the_mode_have() -> None:
    """`workflow.md#scan-a-product`, `workflow.md#choose-a-mode`"""
    bench = bench_with(line("1", "A", 2, serialized=False), line("2", "A", 2, flow="distribution"))
    bench.do("MODE", "DIST")
    assert bench.scan("A") == OK
    assert bench.last(Selected).value == "A"
    assert bench.scan(ONE) == OK


def test_skus_that_differ_in_case_are_one_product() -> None:
    """`scanning.md#comparing-codes`"""
    bench = bench_with(line("1", "case-1", 2, serialized=False), line("2", "CASE-1", 3, serialized=False))
    bench.do("QTY", "4")
    assert bench.scan("Case-1") == LINE_DONE
    assert (bench.here.scanned_on("1"), bench.here.scanned_on("2")) == (2, 2)


def test_units_of_skus_that_differ_in_case_are_of_one_product() -> None:
    """`scanning.md#comparing-codes`"""
    bench = bench_with(line("1", "P13", 1, flow="distribution"), line("2", "p13", 1, flow="distribution"))
    assert bench.scan("p13") == OK
    assert bench.scan(ONE) == LINE_DONE
    assert bench.scan(TWO) == ORDER_DONE


@pytest.mark.parametrize("zeros", ["0" * 6, "0" * 10, "0" * 15, "0" * 17, "0" * 20])
@pytest.mark.parametrize("listed", [True, False])
def test_all_zeros_are_no_device(zeros: str, listed: bool) -> None:
    """`workflow.md#scan-a-unit`"""
    bench = bench_with(line("1", "A", 2, serial_length=[6, 20], units=[[zeros]] if listed else None))
    assert bench.scan(zeros).signal is Signal.REJECT
    assert bench.count(Accepted) == 0

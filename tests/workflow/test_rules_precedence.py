"""The first failure wins: pairs of reasons that both apply."""

from collections.abc import Callable
from typing import Any

import pytest

from agent.contract.printed_codes import Verb, command_text
from agent.contract.reasons import Reason
from tests.workflow.bench import (
    AGAIN,
    BOXED,
    LINE_DONE,
    OK,
    PROMPT,
    REMOVED,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)
BAD = ONE[:-1] + str((int(ONE[-1]) + 1) % 10)
QTY_0 = command_text(Verb.QTY, "0")


def opened(*lines: dict[str, Any], **more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", *(lines or (line("1", "P13", 3), line("2", "CASE", 9, serialized=False))), **more)
    bench.opened("SO-1")
    return bench


def signed_out() -> Bench:
    return Bench()


def ready() -> Bench:
    bench = Bench()
    bench.sign_in()
    return bench


def assigning_and_removing() -> Bench:
    bench = opened()
    bench.scan(ONE)
    bench.do("REMOVE")
    bench.do("ROLE", "PICK")
    return bench


def boxing_with_a_contested_barcode() -> Bench:
    bench = opened()
    for order in ("SO-2", "SO-3"):
        bench.order(order, line("1", "P13", 1), barcodes=["PALLET"])
    bench.scan(ONE)
    assert bench.do("SAVE") == BOXED
    return bench


def held_and_closed() -> Bench:
    bench = opened()
    bench.scan(ONE)
    bench.verdict("hold", "SO-1", ONE)
    bench.order("SO-1", line("1", "P13", 3), revision=2, status="cancelled")
    return bench


def held_and_closed_and_removing() -> Bench:
    bench = held_and_closed()
    assert bench.do("REMOVE") == PROMPT
    return bench


def closed_and_unassigned() -> Bench:
    bench = opened(line("1", "P13", 3), operators={})
    bench.order("SO-1", line("1", "P13", 3), revision=2, status="cancelled", operators={})
    return bench


def unassigned_without_mode() -> Bench:
    return opened(line("1", "P13", 3), line("2", "P14", 3, flow="pos"), operators={})


def no_mode_and_kind_sku() -> Bench:
    bench = opened(line("1", "P13", 3), line("2", "P14", 3, flow="pos"))
    bench.do("KIND", "SKU")
    return bench


def kind_sku() -> Bench:
    bench = opened()
    bench.do("KIND", "SKU")
    bench.do("QTY", "2")
    return bench


def counted_and_blocked() -> Bench:
    bench = opened()
    bench.scan(ONE)
    bench.block(ONE)
    return bench


def counted_by_the_centre_and_barred() -> Bench:
    bench = opened()
    bench.scan(ONE)
    bench.verdict("hold", "SO-1", ONE)
    bench.do("REMOVE")
    bench.scan(ONE)
    counted = [{"line": "1", "quantity": 1, "units": [ONE], "box": "9A77000000000001"}]
    bench.order("SO-1", line("1", "P13", 3), revision=2, counted=counted)
    return bench


def barred_and_counted_in_another_order() -> Bench:
    """The other order took the unit while this one was cancelled for a time."""
    bench = opened()
    bench.scan(ONE)
    bench.order("SO-1", line("1", "P13", 3), revision=2, status="cancelled")
    bench.order("SO-2", line("1", "P13", 3))
    bench.opened("SO-2", station="2")
    assert bench.scan(ONE, station="2") == OK
    bench.order("SO-1", line("1", "P13", 3), revision=3)
    bench.verdict("hold", "SO-1", ONE)
    bench.do("REMOVE")
    assert bench.scan(ONE) == REMOVED
    return bench


def counted_in_another_order_and_of_no_line() -> Bench:
    bench = opened(line("1", "P13", 3, tacs=["86000000"]))
    bench.order("SO-2", line("1", "P13", 3))
    bench.opened("SO-2", station="2")
    assert bench.scan(ONE, station="2") == OK
    return bench


def distribution() -> Bench:
    """P13 of TAC 35000000 is complete; P14 takes TAC 86000000; no product is selected."""
    bench = opened(
        line("1", "P13", 1, flow="distribution", tacs=["35000000"]),
        line("2", "P14", 1, flow="distribution", tacs=["86000000"]),
    )
    bench.scan("P13")
    assert bench.scan(ONE) == LINE_DONE
    bench.do("CANCEL")
    return bench


def distribution_of_another_product() -> Bench:
    bench = distribution()
    assert bench.scan("P14") == OK
    return bench


def full_box_and_line() -> Bench:
    bench = opened(line("1", "P13", 1000))
    bench.thorough = False
    for number in range(1000):
        bench.scan(imei(number))
    bench.thorough = True
    return bench


def box_open_and_in_use() -> Bench:
    bench = opened()
    bench.order("SO-2", line("1", "P13", 1))
    bench.opened("SO-2", station="2")
    bench.scan(ONE)
    return bench


def box_open_and_closed() -> Bench:
    bench = opened()
    bench.order("SO-2", line("1", "P13", 1), status="packed")
    bench.scan(ONE)
    return bench


def closed_with_a_box_open() -> Bench:
    bench = opened()
    bench.scan(ONE)
    bench.withdraw("SO-1")
    return bench


def box_open_and_incomplete() -> Bench:
    bench = opened()
    bench.scan(ONE)
    return bench


PAIRS: tuple[tuple[Callable[[], Bench], str, Reason, Reason], ...] = (
    (signed_out, "ZKSAVE0", Reason.UNREADABLE, Reason.NOT_SIGNED_IN),
    (signed_out, QTY_0, Reason.NOT_SIGNED_IN, Reason.BAD_ARGUMENT),
    (ready, QTY_0, Reason.BAD_ARGUMENT, Reason.ORDER_REQUIRED),
    (assigning_and_removing, QTY_0, Reason.BAD_ARGUMENT, Reason.BADGE_REQUIRED),
    (assigning_and_removing, "ZBNOTLISTEDY", Reason.BADGE_UNKNOWN, Reason.BADGE_REQUIRED),
    (boxing_with_a_contested_barcode, "PALLET", Reason.AMBIGUOUS, Reason.BOX_OPEN),
    (assigning_and_removing, TWO, Reason.BADGE_REQUIRED, Reason.NOT_IN_BOX),
    (held_and_closed_and_removing, TWO, Reason.NOT_IN_BOX, Reason.HELD),
    (held_and_closed, TWO, Reason.HELD, Reason.ORDER_CLOSED),
    (held_and_closed, command_text(Verb.PACK), Reason.HELD, Reason.ORDER_CLOSED),
    (held_and_closed, BAD, Reason.HELD, Reason.BAD_CHECK_DIGIT),
    (closed_and_unassigned, ONE, Reason.ORDER_CLOSED, Reason.OPERATOR_UNASSIGNED),
    (closed_with_a_box_open, command_text(Verb.PACK), Reason.ORDER_CLOSED, Reason.BOX_OPEN),
    (closed_with_a_box_open, command_text(Verb.MODE, "POS"), Reason.ORDER_CLOSED, Reason.WRONG_MODE),
    (box_open_and_incomplete, command_text(Verb.PACK), Reason.BOX_OPEN, Reason.QUANTITY_MISMATCH),
    (box_open_and_in_use, "SO-2", Reason.BOX_OPEN, Reason.ORDER_IN_USE),
    (box_open_and_closed, "SO-2", Reason.BOX_OPEN, Reason.ORDER_CLOSED),
    (unassigned_without_mode, ONE, Reason.OPERATOR_UNASSIGNED, Reason.MODE_REQUIRED),
    (no_mode_and_kind_sku, ONE, Reason.MODE_REQUIRED, Reason.WRONG_KIND),
    (kind_sku, BAD, Reason.WRONG_KIND, Reason.BAD_CHECK_DIGIT),
    (kind_sku, "P13", Reason.WRONG_KIND, Reason.NOT_ALLOWED),
    (counted_and_blocked, ONE, Reason.ALREADY_COUNTED, Reason.NOT_ON_ORDER),
    (counted_by_the_centre_and_barred, ONE, Reason.ALREADY_COUNTED, Reason.HELD),
    (barred_and_counted_in_another_order, ONE, Reason.HELD, Reason.COUNTED_ELSEWHERE),
    (counted_in_another_order_and_of_no_line, ONE, Reason.COUNTED_ELSEWHERE, Reason.NOT_ON_ORDER),
    (distribution, imei(1, "01234567"), Reason.NOT_ON_ORDER, Reason.PRODUCT_REQUIRED),
    (distribution, TWO, Reason.PRODUCT_REQUIRED, Reason.OVER_QUANTITY),
    (distribution_of_another_product, TWO, Reason.WRONG_PRODUCT, Reason.OVER_QUANTITY),
    (full_box_and_line, imei(1000), Reason.OVER_QUANTITY, Reason.BOX_FULL),
)


@pytest.mark.parametrize(
    ("scene", "code", "first"),
    [pair[:3] for pair in PAIRS],
    ids=[f"{first}-before-{second}-{scene.__name__}" for scene, _, first, second in PAIRS],
)
def test_first_failure_wins(scene: Callable[[], Bench], code: str, first: Reason) -> None:
    assert scene().scan(code).reason is first


def test_text_of_no_class_comes_before_a_closed_order() -> None:
    """The table is looked at before the order."""
    bench = closed_with_a_box_open()
    assert bench.scan("HELLO") == refused(Reason.UNKNOWN_CODE)
    assert bench.do("CONFIRM") == refused(Reason.NOT_ALLOWED)


def test_unreadable_comes_before_the_bounce() -> None:
    bench = opened()
    bench.scan(ONE)
    assert bench.scan(ONE, after=0.1, intact=False) == refused(Reason.UNREADABLE)
    assert bench.types() == ["scan.rejected"]


def test_bounce_comes_before_not_signed_in() -> None:
    bench = opened()
    assert bench.do("OUT") == OK
    assert bench.do("OUT", after=0.2) == AGAIN
    assert bench.new == []

"""The order of the checks (`workflow.md#first-failure-wins`): of two that both fail, the first one gives the reason."""

import re
from collections.abc import Callable
from importlib import import_module
from itertools import groupby, pairwise, product
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent.contract.printed_codes import Verb, command_text
from agent.contract.reasons import Reason
from agent.workflow.step import FIRST_FAILURE_WINS, Check
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


def signed_out_with_a_contested_barcode() -> Bench:
    bench = Bench()
    for order in ("SO-2", "SO-3"):
        bench.order(order, line("1", "P13", 1), barcodes=["PALLET"])
    return bench


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
    """SO-2 took the unit while SO-1 was cancelled for a while."""
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


def counted_with_a_wrong_check_digit_and_dropped() -> Bench:
    """BAD was counted while the manifest listed it; the revision does not list it any more."""
    bench = opened(line("1", "P13", 3, units=[[BAD]]))
    assert bench.scan(BAD) == OK
    bench.order("SO-1", line("1", "P13", 3), revision=2)
    return bench


def full_box_and_two_products() -> Bench:
    """Both lines take any IMEI and have some pending."""
    bench = opened(line("1", "P13", 1001), line("2", "P14", 1))
    bench.thorough = False
    bench.scan("P13")
    for number in range(1000):
        bench.scan(imei(number))
    bench.thorough = True
    assert bench.do("CANCEL") == OK
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


class Pair(NamedTuple):
    """A scan that fails two checks, and the reason it gets. The names are those in FIRST_FAILURE_WINS."""

    first: str
    second: str
    scene: Callable[[], Bench]
    code: str
    reason: Reason


PAIRS = (
    Pair("unreadable", "not_signed_in", signed_out, "ZKSAVE0", Reason.UNREADABLE),
    Pair("not_signed_in", "ambiguous", signed_out_with_a_contested_barcode, "PALLET", Reason.NOT_SIGNED_IN),
    Pair("not_signed_in", "bad_argument", signed_out, QTY_0, Reason.NOT_SIGNED_IN),
    Pair("bad_argument", "state table", ready, QTY_0, Reason.BAD_ARGUMENT),
    Pair("bad_argument", "state table", assigning_and_removing, QTY_0, Reason.BAD_ARGUMENT),
    Pair("badge_unknown", "state table", assigning_and_removing, "ZBNOTLISTEDY", Reason.BADGE_UNKNOWN),
    Pair("ambiguous", "state table", boxing_with_a_contested_barcode, "PALLET", Reason.AMBIGUOUS),
    Pair("state table", "REMOVE pending", assigning_and_removing, TWO, Reason.BADGE_REQUIRED),
    Pair("REMOVE pending", "held", held_and_closed_and_removing, TWO, Reason.NOT_IN_BOX),
    Pair("held", "order_closed", held_and_closed, TWO, Reason.HELD),
    Pair("held", "bad_check_digit", held_and_closed, BAD, Reason.HELD),
    Pair("order_closed", "operator_unassigned", closed_and_unassigned, ONE, Reason.ORDER_CLOSED),
    Pair("operator_unassigned", "mode_required", unassigned_without_mode, ONE, Reason.OPERATOR_UNASSIGNED),
    Pair("mode_required", "wrong_kind", no_mode_and_kind_sku, ONE, Reason.MODE_REQUIRED),
    Pair("wrong_kind", "bad_check_digit", kind_sku, BAD, Reason.WRONG_KIND),
    Pair(
        "bad_check_digit",
        "already_counted",
        counted_with_a_wrong_check_digit_and_dropped,
        BAD,
        Reason.BAD_CHECK_DIGIT,
    ),
    Pair("already_counted", "not_on_order", counted_and_blocked, ONE, Reason.ALREADY_COUNTED),
    Pair("already_counted", "held unit removed", counted_by_the_centre_and_barred, ONE, Reason.ALREADY_COUNTED),
    Pair("held unit removed", "counted_elsewhere", barred_and_counted_in_another_order, ONE, Reason.HELD),
    Pair("counted_elsewhere", "not_on_order", counted_in_another_order_and_of_no_line, ONE, Reason.COUNTED_ELSEWHERE),
    Pair("not_on_order", "product_required", distribution, imei(1, "01234567"), Reason.NOT_ON_ORDER),
    Pair("product_required", "over_quantity", distribution, TWO, Reason.PRODUCT_REQUIRED),
    Pair("wrong_product", "over_quantity", distribution_of_another_product, TWO, Reason.WRONG_PRODUCT),
    Pair("over_quantity", "box_full", full_box_and_line, imei(1000), Reason.OVER_QUANTITY),
    Pair("several products", "box_full", full_box_and_two_products, imei(1000), Reason.PRODUCT_REQUIRED),
)

TESTED_BELOW = {("unreadable", "bounce"), ("bounce", "not_signed_in")}
TESTED_IN_THE_DAEMON = {("fault", "unreadable")}
"""`tests/daemon/test_scan_path.py` tests it, because a step knows nothing of the disk."""

NO_REASON = {"fault", "bounce", "state table", "REMOVE pending", "held unit removed", "several products"}
REASON_OF = {"held unit removed": "held", "several products": "product_required"}


@pytest.mark.parametrize(
    "pair", PAIRS, ids=[f"{pair.first}-before-{pair.second}-{pair.scene.__name__}" for pair in PAIRS]
)
def test_first_failure_wins(pair: Pair) -> None:
    """`workflow.md#first-failure-wins`"""
    assert pair.scene().scan(pair.code).reason is pair.reason


def test_unreadable_comes_before_the_bounce() -> None:
    """`workflow.md#first-failure-wins`"""
    bench = opened()
    bench.scan(ONE)
    assert bench.scan(ONE, after=0.1, intact=False) == refused(Reason.UNREADABLE)
    assert bench.types() == ["scan.rejected"]


def test_bounce_comes_before_not_signed_in() -> None:
    """`workflow.md#first-failure-wins`"""
    bench = opened()
    assert bench.do("OUT") == OK
    assert bench.do("OUT", after=0.2) == AGAIN
    assert bench.new == []


# -- the list ----------------------------------------------------------------------------------------------------


def test_each_two_neighbours_of_the_list_are_tested() -> None:
    tested = {(pair.first, pair.second) for pair in PAIRS} | TESTED_BELOW | TESTED_IN_THE_DAEMON
    for check, later in pairwise(FIRST_FAILURE_WINS):
        assert tested & set(product(check.names, later.names)), f"{check.names} and {later.names}"


def test_pairs_stand_in_the_order_of_the_list() -> None:
    place = {name: number for number, check in enumerate(FIRST_FAILURE_WINS) for name in check.names}
    assert all(place[pair.first] < place[pair.second] for pair in PAIRS)
    assert place.keys() - NO_REASON <= {reason.value for reason in Reason}


@pytest.mark.parametrize("check", FIRST_FAILURE_WINS, ids=lambda check: check.names[0])
def test_each_check_is_where_the_list_says(check: Check) -> None:
    attrgetter(check.function)(import_module(check.module))


def reasons_named_in(heading: str) -> list[str]:
    """Return the reasons that a section of workflow.md names, in their order, as far as checks give them."""
    text = (Path(__file__).parents[2] / "docs/reference/workflow.md").read_text("utf-8")
    section = text.split(f"\n### {heading}\n")[1].split("\n#")[0]
    known = {REASON_OF.get(name, name) for check in FIRST_FAILURE_WINS for name in check.names}
    return [word for word in re.findall(r"`(\w+)`", section) if word in known]


def test_list_has_the_order_of_the_reference() -> None:
    names = [REASON_OF.get(name, name) for check in FIRST_FAILURE_WINS for name in check.names]
    ladder = names.index("bad_check_digit")
    general = [name for name in names[:ladder] if name not in NO_REASON or name == "fault"]
    # The reference names `held` and the bounce by links.
    assert [name for name in general if name != "held"] == reasons_named_in("First failure wins")
    of_a_unit = [word for word, _ in groupby(reasons_named_in("Scan a unit"))]
    assert of_a_unit == names[ladder:]


# -- inside the table and the acts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "code", "first", "second"),
    [
        (held_and_closed, command_text(Verb.PACK), Reason.HELD, Reason.ORDER_CLOSED),
        (closed_with_a_box_open, command_text(Verb.PACK), Reason.ORDER_CLOSED, Reason.BOX_OPEN),
        (box_open_and_incomplete, command_text(Verb.PACK), Reason.BOX_OPEN, Reason.QUANTITY_MISMATCH),
    ],
)
def test_packing_checks_in_order(scene: Callable[[], Bench], code: str, first: Reason, second: Reason) -> None:
    """`workflow.md#start-packing`"""
    assert scene().scan(code).reason is first


@pytest.mark.parametrize(
    ("scene", "first", "second"),
    [
        (box_open_and_in_use, Reason.BOX_OPEN, Reason.ORDER_IN_USE),
        (box_open_and_closed, Reason.BOX_OPEN, Reason.ORDER_CLOSED),
    ],
)
def test_opening_checks_in_order(scene: Callable[[], Bench], first: Reason, second: Reason) -> None:
    """`workflow.md#open-an-order`"""
    assert scene().scan("SO-2").reason is first


def test_closed_order_comes_before_a_mode_that_no_line_has() -> None:
    """`workflow.md#closed-while-open`"""
    assert closed_with_a_box_open().do("MODE", "POS").reason is Reason.ORDER_CLOSED


def test_kind_comes_before_a_quantity_that_a_serialized_product_cannot_have() -> None:
    """`workflow.md#choose-a-kind`, `workflow.md#scan-a-product`"""
    assert kind_sku().scan("P13").reason is Reason.WRONG_KIND


def test_text_of_no_class_comes_before_a_closed_order() -> None:
    """`workflow.md#first-failure-wins`: the table is looked at before the order."""
    bench = closed_with_a_box_open()
    assert bench.scan("HELLO") == refused(Reason.UNKNOWN_CODE)
    assert bench.do("CONFIRM") == refused(Reason.NOT_ALLOWED)

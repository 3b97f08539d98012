"""Boxes: created, sized, labelled, confirmed, brought back."""

import pytest

from agent.contract.events import (
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Content,
    Reopened,
    Size,
)
from agent.contract.manifest import Flow
from agent.contract.printed_codes import label_text
from agent.contract.reasons import Reason
from agent.workflow.state import Phase
from tests.workflow.bench import (
    AGAIN,
    BOXED,
    LINE_DONE,
    OK,
    PROMPT,
    REMOVED,
    SAVED,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)
LABEL, LABEL_B = "106141412345678908", label_text("Box7".upper())
BOX_1, BOX_2 = "3F0C9A1B000001", "3F0C9A1B000002"


def opened(flow: str = "used") -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 9, flow=flow), line("2", "CASE", 9, serialized=False, flow=flow))
    bench.order("SO-2", line("1", "P13", 9))
    bench.opened("SO-1")
    return bench


def test_save_creates_and_confirms_a_box() -> None:
    """`workflow.md#create-a-box`, `workflow.md#confirm-a-box`"""
    bench = opened()
    bench.scan("CASE")
    bench.scan(ONE)
    bench.scan("CASE")
    contents = (
        Content(line="2", sku="CASE", quantity=2, units=()),
        Content(line="1", sku="P13", quantity=1, units=(ONE,)),
    )
    assert bench.do("SAVE") == BOXED
    created = bench.last(BoxCreated)
    assert (created.box, created.order, created.mode, created.contents) == (BOX_1, "SO-1", Flow.USED, contents)
    assert bench.do("SAVE") == SAVED
    confirmed = bench.last(BoxConfirmed)
    assert (confirmed.box, confirmed.contents, confirmed.size, confirmed.label) == (BOX_1, contents, None, None)
    bench.scan(TWO)
    assert bench.last(Accepted).box == BOX_2


def test_save_of_an_empty_box_is_refused() -> None:
    """`workflow.md#create-a-box`"""
    bench = opened()
    assert bench.do("SAVE") == refused(Reason.BOX_EMPTY)
    bench.scan(ONE)
    bench.do("UNDO")
    assert bench.do("SAVE") == refused(Reason.BOX_EMPTY)


def test_cancel_in_boxing_goes_back_to_scanning() -> None:
    """`workflow.md#cancel`, `workflow.md#create-a-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    bench.do("BOX", "M")
    assert bench.do("CANCEL") == REMOVED
    assert bench.types() == ["box.reopened"]
    assert bench.last(BoxReopened).state is Reopened.SCANNING
    assert bench.phase() is Phase.SCANNING
    bench.scan(TWO)
    assert bench.do("SAVE") == BOXED
    assert [content.units for content in bench.last(BoxCreated).contents] == [(ONE, TWO)]
    assert bench.do("SAVE") == SAVED
    assert bench.last(BoxConfirmed).box == BOX_1


# -- size --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", ["distribution", "pos"])
def test_size_is_required_in_distribution_and_pos(flow: str) -> None:
    """`workflow.md#confirm-a-box`"""
    bench = opened(flow)
    bench.scan("CASE")
    bench.do("SAVE")
    assert bench.do("SAVE") == refused(Reason.SIZE_REQUIRED)
    assert bench.phase() is Phase.BOXING
    assert bench.do("BOX", "M") == OK
    assert bench.do("SAVE") == SAVED
    assert bench.last(BoxConfirmed).size == Size(code="M", length_mm=300, width_mm=200, height_mm=150)


def test_size_is_replaced_and_may_be_given_to_a_used_box() -> None:
    """`workflow.md#choose-a-box-size`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    assert bench.do("BOX", "M") == OK
    assert bench.do("BOX", "M") == AGAIN
    assert bench.do("BOX", "XXL") == refused(Reason.SIZE_UNKNOWN)
    assert bench.do("BOX", "L") == OK
    event = bench.last(BoxSized)
    assert (event.box, event.order, event.size, event.label) == (BOX_1, "SO-1", "L", None)
    bench.do("SAVE")
    assert bench.last(BoxConfirmed).size == Size(code="L", length_mm=300, width_mm=200, height_mm=150)


def test_size_that_the_catalogue_has_no_more_is_unknown() -> None:
    """`workflow.md#confirm-a-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    assert bench.do("BOX", "L") == OK
    bench.sizes("M", revision=2)
    assert bench.do("SAVE") == refused(Reason.SIZE_UNKNOWN)
    assert bench.do("BOX", "M") == OK
    assert bench.do("SAVE") == SAVED


# -- label -------------------------------------------------------------------------------------------------------


def test_label_is_optional_and_replaced() -> None:
    """`workflow.md#label-a-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    bench.do("BOX", "M")
    assert bench.scan("]C100" + LABEL) == OK
    assert (bench.last(BoxSized).size, bench.last(BoxSized).label) == ("M", LABEL)
    assert bench.scan(LABEL) == AGAIN
    assert bench.scan(LABEL_B.lower()) == OK
    bench.do("SAVE")
    assert bench.last(BoxConfirmed).label == LABEL_B


def test_label_used_on_another_box_of_an_open_order() -> None:
    """`workflow.md#label-a-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    bench.scan(LABEL)
    bench.do("SAVE")
    bench.scan("SO-2")
    bench.scan(TWO)
    bench.do("SAVE")
    assert bench.scan(LABEL) == refused(Reason.LABEL_USED)


def test_label_replaced_is_free_again() -> None:
    """`workflow.md#label-a-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    bench.all([LABEL, LABEL_B])
    bench.do("SAVE")
    bench.scan(TWO)
    bench.do("SAVE")
    assert bench.scan(LABEL) == OK


def test_label_of_a_packed_order_is_free_again() -> None:
    """`workflow.md#label-a-box`"""
    bench = opened()
    bench.scan("SO-1")
    bench.order("SO-3", line("1", "P13", 1))
    bench.scan("SO-3")
    bench.scan(ONE)
    bench.do("SAVE")
    bench.scan(LABEL)
    bench.do("SAVE")
    bench.do("PACK")
    bench.do("CONFIRM")
    bench.opened("SO-2")
    bench.scan(TWO)
    bench.do("SAVE")
    assert bench.scan(LABEL) == OK


@pytest.mark.parametrize("how", ["cancelled", "withdrawn"])
def test_label_of_an_order_that_the_centre_closed_is_free_again(how: str) -> None:
    """`workflow.md#label-a-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    bench.scan(LABEL)
    bench.do("SAVE")
    bench.scan("SO-2")
    if how == "cancelled":
        bench.order("SO-1", line("1", "P13", 9), revision=2, status="cancelled")
    else:
        bench.withdraw("SO-1")
    bench.scan(TWO)
    bench.do("SAVE")
    assert bench.scan(LABEL) == OK


def test_label_of_a_dissolved_box_is_free_again() -> None:
    """`workflow.md#label-a-box`, `workflow.md#dissolve-an-empty-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    bench.scan(LABEL)
    bench.do("CANCEL")
    bench.do("UNDO")
    bench.scan(TWO)
    bench.do("SAVE")
    assert bench.scan(LABEL) == OK
    assert bench.last(BoxSized).box == BOX_2


# -- bringing back -----------------------------------------------------------------------------------------------


def two_boxes() -> Bench:
    """The first box has a label and a size."""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    bench.scan(LABEL)
    bench.do("BOX", "M")
    bench.do("SAVE")
    bench.scan(TWO)
    bench.do("SAVE")
    bench.do("SAVE")
    return bench


def test_reopen_by_label() -> None:
    """`workflow.md#reopen-a-box`"""
    bench = two_boxes()
    assert bench.scan(LABEL) == REMOVED
    event = bench.last(BoxReopened)
    assert (event.box, event.state, event.mode) == (BOX_1, Reopened.BOXING, Flow.USED)
    assert event.contents == (Content(line="1", sku="P13", quantity=1, units=(ONE,)),)
    assert bench.phase() is Phase.BOXING
    bench.do("BOX", "L")
    assert bench.do("SAVE") == SAVED
    assert (bench.last(BoxConfirmed).label, bench.last(BoxConfirmed).box) == (LABEL, BOX_1)


def test_reopen_by_undo_is_the_last_confirmed() -> None:
    """`workflow.md#reopen-a-box`"""
    bench = two_boxes()
    assert bench.do("UNDO") == REMOVED
    assert (bench.last(BoxReopened).box, bench.last(BoxReopened).state) == (BOX_2, Reopened.BOXING)
    bench.do("SAVE")
    bench.scan(LABEL)
    bench.do("SAVE")
    bench.do("UNDO")
    assert bench.last(BoxReopened).box == BOX_1


def test_reopen_needs_an_empty_open_box() -> None:
    """`workflow.md#reopen-a-box`"""
    bench = two_boxes()
    bench.scan(THREE)
    assert bench.scan(LABEL) == refused(Reason.BOX_OPEN)
    assert bench.scan(LABEL_B) == refused(Reason.BOX_OPEN)
    bench.do("UNDO")
    assert bench.scan(LABEL_B) == refused(Reason.NOT_IN_BOX)
    assert bench.scan(LABEL) == REMOVED


def test_reopen_by_the_label_of_another_order() -> None:
    """`workflow.md#reopen-a-box`"""
    bench = two_boxes()
    bench.scan("SO-2")
    assert bench.scan(LABEL_B) == refused(Reason.NOT_IN_BOX)
    assert bench.scan("]C100" + LABEL) == refused(Reason.NOT_IN_BOX)


def test_eighteen_digits_are_the_label_of_a_box_of_this_order_only() -> None:
    """`scanning.md#one-device-one-identity`, `scanning.md#box-labels`"""
    bench = two_boxes()
    bench.scan("SO-2")
    assert bench.scan(LABEL) == refused(Reason.WRONG_BARCODE)


def test_reopened_box_left_empty_is_dissolved_and_its_id_never_used_again() -> None:
    """`workflow.md#dissolve-an-empty-box`"""
    bench = two_boxes()
    bench.do("UNDO")
    bench.do("CANCEL")
    assert bench.do("UNDO") == REMOVED
    assert bench.types() == ["scan.voided", "box.voided"]
    assert (bench.last(BoxVoided).box, bench.last(BoxVoided).contents) == (BOX_2, ())
    bench.scan(THREE)
    assert bench.last(Accepted).box == "3F0C9A1B000003"


def test_box_never_created_is_not_voided_when_it_is_empty_again() -> None:
    """`workflow.md#dissolve-an-empty-box`"""
    bench = opened()
    bench.scan(ONE)
    assert bench.do("UNDO") == REMOVED
    assert bench.types() == ["scan.voided"]
    bench.scan(ONE)
    assert bench.last(Accepted).box == BOX_2


def test_save_ends_remove_and_its_quantity() -> None:
    """`workflow.md#end-of-remove`"""
    bench = opened()
    bench.scan("CASE")
    bench.do("REMOVE")
    bench.do("QTY", "3")
    assert bench.do("SAVE") == BOXED
    assert bench.do("SAVE") == SAVED
    assert bench.scan("CASE") == OK
    assert bench.last(Accepted).quantity == 1


def test_save_leaves_a_quantity_for_the_next_product() -> None:
    """`workflow.md#set-a-quantity`"""
    bench = opened()
    bench.scan(ONE)
    assert bench.do("QTY", "9") == PROMPT
    bench.do("SAVE")
    bench.do("SAVE")
    assert bench.scan("CASE") == LINE_DONE


def test_box_ids_go_on_under_a_new_journal_id() -> None:
    """`workflow.md#create-a-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.save()
    bench.start_over("AAAAAAAA")
    bench.scan(TWO)
    assert bench.last(Accepted).box == "AAAAAAAA000002"

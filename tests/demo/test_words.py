"""What may be typed instead of a barcode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.check_digits import luhn_ok
from agent.contract.printed_codes import Command, Verb, parse_command
from agent.demo.sample import ORDERS, STRANGER, Shelf, badge_of, shelf_of
from agent.demo.words import Leave, Remark, Scan, typed_of

FIRST_WORDS = {
    *(verb.lower() for verb in Verb),
    *("badge", "order", "imei", "serial", "product", "sku", "label", "help", "?", "quit", "exit", "bye"),
}


@pytest.mark.parametrize("verb", Verb)
def test_each_command_is_a_word(verb: Verb) -> None:
    typed = typed_of(verb.lower(), shelf_of(None))
    assert isinstance(typed, Scan)
    assert parse_command(typed.code) == Command(verb)


@pytest.mark.parametrize(
    ("words", "verb", "argument"),
    [
        ("qty 2", Verb.QTY, "2"),
        ("  BOX   m ", Verb.BOX, "M"),
        ("role pick", Verb.ROLE, "PICK"),
        ("mode Used", Verb.MODE, "USED"),
        ("kind serial", Verb.KIND, "SERIAL"),
    ],
)
def test_commands_take_their_argument(words: str, verb: Verb, argument: str) -> None:
    typed = typed_of(words, shelf_of(None))
    assert isinstance(typed, Scan)
    assert parse_command(typed.code) == Command(verb, argument)


@given(st.text(st.characters(exclude_characters="\n\r"), min_size=1))
def test_anything_else_is_scanned_as_it_stands(text: str) -> None:
    if text.strip(" ").partition(" ")[0].lower() not in FIRST_WORDS:
        assert typed_of(text, shelf_of("SO-1001")) == Scan(text.strip(" "))


@given(st.sampled_from(sorted(FIRST_WORDS)), st.text(max_size=70), st.sampled_from([None, "SO-1001", "PO-3003"]))
def test_no_argument_is_too_strange(word: str, rest: str, order: str | None) -> None:
    typed = typed_of(f"{word} {rest}", shelf_of(order))
    assert isinstance(typed, Remark | Leave) or typed.code


def test_a_command_that_takes_no_argument_is_no_command_with_one() -> None:
    assert typed_of("cancel 0", shelf_of(None)) == Scan("cancel 0")


def test_a_badge_is_named_by_its_operator() -> None:
    assert typed_of("badge e8", shelf_of(None)) == Scan(badge_of("E8") or "")
    assert isinstance(typed_of("badge e1", shelf_of(None)), Remark)


def test_an_order_by_its_id_or_number() -> None:
    assert typed_of("order do-2002", shelf_of(None)) == Scan("DO-2002")
    assert typed_of("order 2", shelf_of(None)) == Scan(str(ORDERS[1]["order"]))
    assert typed_of("order 9", shelf_of(None)) == Scan("9"), "no such number: a barcode like any other"


def test_things_are_those_of_the_open_order() -> None:
    assert typed_of("imei 2", shelf_of("DO-2002")) == Scan(shelf_of("DO-2002").imeis[1][0])
    assert typed_of("imei 2", shelf_of("SO-1001")) == Scan(shelf_of("SO-1001").imeis[1][0])
    assert typed_of("imei 2", shelf_of(None)) == typed_of("imei 2", shelf_of("SO-1001"))
    assert typed_of("serial 1", shelf_of("PO-3003")) == Scan(shelf_of("PO-3003").serials[0][0])
    shelf = shelf_of("PO-3003")
    assert typed_of("sku 3", shelf) == typed_of("product 3", shelf) == Scan(shelf.products[2])
    assert typed_of("label 1", shelf) == Scan(shelf.labels[0])


def test_no_misread_imei_without_imeis() -> None:
    assert typed_of("imei bad", Shelf(products=(), labels=())) == Remark("this order has no imei")


def test_phones_that_will_be_refused() -> None:
    typed = typed_of("imei bad", shelf_of("SO-1001"))
    assert isinstance(typed, Scan)
    assert len(typed.code) == 15
    assert not luhn_ok(typed.code)
    assert typed_of("imei other", shelf_of("SO-1001")) == Scan(STRANGER)


@pytest.mark.parametrize(
    ("words", "order", "remark"),
    [
        ("imei 4", "SO-1001", "of this order there are imei 1 to imei 3"),
        ("imei 0", "SO-1001", "of this order there are imei 1 to imei 3"),
        ("imei ٣", "SO-1001", "of this order there are imei 1 to imei 3"),
        ("imei 2", "PO-3003", "there is imei 1 only"),
        ("serial 1", "SO-1001", "this order has no serial"),
    ],
)
def test_what_is_not_on_the_shelf_is_no_scan(words: str, order: str, remark: str) -> None:
    assert typed_of(words, shelf_of(order)) == Remark(remark)


def test_leaving_and_help() -> None:
    assert typed_of("quit", shelf_of(None)) == Leave()
    help_ = typed_of("help", shelf_of(None))
    assert isinstance(help_, Remark)
    assert [word for word in ("badge", "imei", "save", "quit") if word not in help_.text] == []

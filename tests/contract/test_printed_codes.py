"""The barcodes that we print.

Rules: `scanning.md#command-barcodes`, `scanning.md#command-verbs`, `scanning.md#badges`, `scanning.md#box-labels`.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.check_digits import check_character
from agent.contract.printed_codes import (
    Command,
    CommandFlaw,
    Verb,
    badge_text,
    command_text,
    is_our_badge,
    is_our_label,
    label_text,
    parse_command,
)

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

alphanumeric = st.text(ALPHABET, min_size=1, max_size=40)

# -- commands, badges, labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "argument"),
    [
        *((verb, "") for verb in Verb),
        (Verb.MODE, "USED"),
        (Verb.KIND, "SERIAL"),
        (Verb.ROLE, "ALL"),
        (Verb.QTY, "9999"),
        (Verb.BOX, "M"),
        (Verb.BOX, "SAVE"),
    ],
)
def test_command_comes_back_as_it_was_printed(verb: Verb, argument: str) -> None:
    text = command_text(verb, argument)
    assert re.fullmatch(f"ZK{verb}{argument}[0-9A-Z]", text)
    assert parse_command(text) == Command(verb, argument)


def test_command_arguments_are_not_judged() -> None:
    assert parse_command(command_text(Verb.QTY, "XYZ")) == Command(Verb.QTY, "XYZ")


@pytest.mark.parametrize("body", ["ZK", "ZKSAV", "ZKSAVENOW", "ZKOUT1", "ZKNONSENSE", "ZK0"])
def test_command_of_no_verb(body: str) -> None:
    assert parse_command(body + check_character(body)) is CommandFlaw.UNKNOWN_VERB


@given(st.sampled_from(Verb), st.sampled_from(ALPHABET))
def test_command_with_another_check_character_is_bad(verb: Verb, check: str) -> None:
    good = command_text(verb)
    parsed = parse_command(good[:-1] + check)
    assert parsed == (Command(verb) if check == good[-1] else CommandFlaw.BAD_CHECK)


@pytest.mark.parametrize("text", ["ZK", "ZKSAVE"])
def test_command_without_check_character_is_bad(text: str) -> None:
    assert parse_command(text) is CommandFlaw.BAD_CHECK


@pytest.mark.parametrize(
    "text", ["", "Z", "KZSAVE1", "XZKSAVE", "ZK-100", "ZKSAVE 1", "zkSAVEE", "ZKSAVEÉ", "ZKSAVEE\n"]
)
def test_command_in_other_text_is_none(text: str) -> None:
    assert parse_command(text) is None


@pytest.mark.parametrize(("verb", "argument"), [(Verb.SAVE, "1"), (Verb.BOX, "m"), (Verb.BOX, "A-1")])
def test_command_that_cannot_be_printed(verb: Verb, argument: str) -> None:
    with pytest.raises(ValueError, match=r"no argument|digits and capitals"):
        command_text(verb, argument)


@given(st.text(ALPHABET, min_size=8, max_size=32))
def test_badge_comes_back_as_it_was_printed(token: str) -> None:
    text = badge_text(token)
    assert text[:2] == "ZB"
    assert text[2:-1] == token
    assert is_our_badge(text)
    assert not is_our_badge("ZL" + text[2:])
    assert parse_command(text) is None
    assert not is_our_label(text)


def test_badge_with_a_token_of_another_length_is_none() -> None:
    for token in ("ABCDEFG", "A" * 33):
        body = "ZB" + token
        assert not is_our_badge(body + check_character(body))
        with pytest.raises(ValueError, match="8 to 32"):
            badge_text(token)


def test_badge_with_a_wrong_check_character_is_none() -> None:
    good = badge_text("K7Q2M9XA")
    assert [is_our_badge(good[:-1] + last) for last in ALPHABET].count(True) == 1


@given(alphanumeric)
def test_label_comes_back_as_it_was_printed(id: str) -> None:
    text = label_text(id)
    assert text[:2] == "ZL"
    assert text[2:-1] == id
    assert is_our_label(text)
    assert not is_our_label("ZB" + text[2:])
    assert not is_our_badge(text)


def test_label_without_an_id_is_none() -> None:
    assert not is_our_label("ZL" + check_character("ZL"))
    with pytest.raises(ValueError, match="1 to 61"):
        label_text("")
    with pytest.raises(ValueError, match="digits and capitals"):
        label_text("box-1")

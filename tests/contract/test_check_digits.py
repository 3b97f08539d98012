"""Check digits and check characters, with vectors of the standards; other scripts' digits are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.check_digits import check_character, check_character_ok, gs1_check_ok, is_digits, luhn_ok

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

alphanumeric = st.text(ALPHABET, min_size=1, max_size=40)


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


# -- digits and check digits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "1a", "-1", "1_0", " 1", "1\n", "²", "１", "٣", "1\x1d"])
def test_is_digits_takes_ascii_digits_only(text: str) -> None:
    assert is_digits("0123456789")
    assert not is_digits(text)
    assert not luhn_ok(text)
    assert not gs1_check_ok(text)


@given(digits(14), st.integers(0, 14), st.integers(1, 9))
def test_luhn_finds_any_single_wrong_digit(body: str, at: int, off: int) -> None:
    (good,) = [body + last for last in "0123456789" if luhn_ok(body + last)]
    wrong = good[:at] + str((int(good[at]) + off) % 10) + good[at + 1 :]
    assert not luhn_ok(wrong)


# -- check characters --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("A12425GABC1234002", "M"),
        ("0000000189470000", "8"),
        ("000000018947000000000000", "D"),
        ("00000000D07A0090", "Q"),
        ("00000000D07A009000000000", "X"),
    ],
)
def test_check_character_vectors(text: str, check: str) -> None:
    """Numbers in use: a GRid, and two ISANs without and with their version part."""
    assert check_character(text) == check
    assert check_character_ok(text + check)


@given(alphanumeric, st.data())
def test_check_character_finds_a_wrong_character_and_swapped_neighbours(text: str, data: st.DataObject) -> None:
    good = text + check_character(text)
    at = data.draw(st.integers(0, len(good) - 2))
    other = data.draw(st.sampled_from(ALPHABET))
    assert check_character_ok(good)
    assert check_character_ok(good[:at] + other + good[at + 1 :]) == (other == good[at])


@pytest.mark.parametrize("text", ["", "a", "A-1", "Ä", "Ａ", "A\n", "٣"])
def test_check_character_of_other_characters_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digits and capitals"):
        check_character(text)
    assert not check_character_ok(text)
    assert not check_character_ok(text + "0")


def test_check_character_ok_wants_something_before_the_check_character() -> None:
    assert not any(check_character_ok(one) for one in ALPHABET)

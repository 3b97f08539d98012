"""Guessing badges (`scanning.md#guessing-badges`)."""

import pytest

from agent.contract.printed_codes import Verb, badge_text, command_text
from agent.contract.reasons import Reason
from agent.workflow.badge_guesses import is_locked
from tests.workflow.bench import AGAIN, BADGES, OK, PROMPT, Bench, imei, line, refused

GUESSES = [badge_text(f"GUESS{number:03d}") for number in range(10)]
TEXTS = [f"EMP-{number:05d}" for number in range(10)]
UNKNOWN = refused(Reason.BADGE_UNKNOWN)


def bench() -> Bench:
    made = Bench()
    made.order("SO-1", line("1", "P13", 3, units=[[imei(1)]]))
    return made


@pytest.mark.parametrize("texts", [GUESSES, TEXTS, GUESSES[:5] + TEXTS[:5], [imei(n, "99000000") for n in range(10)]])
def test_ten_refused_texts_lock_the_station_for_a_minute(texts: list[str]) -> None:
    """`scanning.md#guessing-badges`"""
    made = bench()
    made.all(texts)
    assert is_locked(made.transients["1"], made.now)
    assert made.scan(BADGES["E7"]) == UNKNOWN
    assert made.scan(BADGES["E7"], station="2") == OK
    made.do("OUT", station="2")
    assert made.scan(BADGES["E8"], after=50.0) == UNKNOWN
    assert made.scan(BADGES["E8"], after=10.0) == OK
    assert not is_locked(made.transients["1"], made.now)


def test_nine_are_not_enough_nor_the_same_text_twice() -> None:
    """`scanning.md#guessing-badges`"""
    made = bench()
    made.all(GUESSES[:9] + GUESSES[:9])
    made.scan(GUESSES[0].lower())
    assert made.scan(BADGES["E7"]) == OK


def test_ten_in_more_than_a_minute_are_not_enough() -> None:
    """`scanning.md#guessing-badges`"""
    made = bench()
    made.all(GUESSES[:5])
    made.wait(58.0)
    made.all(GUESSES[5:])
    assert made.scan(BADGES["E7"]) == OK


def test_guesses_while_locked_do_not_lock_for_longer() -> None:
    """`scanning.md#guessing-badges`"""
    made = bench()
    made.all(GUESSES + TEXTS)
    assert made.scan(BADGES["E7"], after=51.0) == OK


def test_operator_who_is_signed_in_goes_on() -> None:
    """`scanning.md#guessing-badges`"""
    made = bench()
    made.opened("SO-1")
    made.all(GUESSES)
    assert made.scan(BADGES["E7"]) == AGAIN
    assert made.scan(BADGES["E8"]) == UNKNOWN
    assert made.do("ROLE", "PACK") == PROMPT
    assert made.scan(BADGES["E8"]) == UNKNOWN
    assert made.scan(BADGES["E7"]) == OK


def test_ambiguous_badge_is_unknown_while_locked() -> None:
    """`scanning.md#guessing-badges`, `scanning.md#ambiguous-codes`"""
    made = bench()
    made.order("SO-2", line("1", "CARD-8", 1, serialized=False))
    assert made.scan("CARD-8") == refused(Reason.AMBIGUOUS)
    made.all(GUESSES)
    assert made.scan("CARD-8") == UNKNOWN


def test_wrong_phones_are_no_guesses_while_somebody_works() -> None:
    """`scanning.md#guessing-badges`"""
    made = bench()
    made.opened("SO-1")
    made.all(imei(number, "99000000") for number in range(12))
    made.all(["9506000134352", "8944110065123456783"])
    assert made.scan(BADGES["E8"]) == OK


def test_commands_and_listed_codes_are_no_guesses() -> None:
    """`scanning.md#guessing-badges`"""
    made = bench()
    made.opened("SO-1")
    made.do("OUT")
    made.all(command_text(verb) for verb in Verb if verb not in (Verb.MODE, Verb.KIND, Verb.ROLE, Verb.QTY, Verb.BOX))
    made.all(["SO-1", "P13", "NOREAD", "NR"])
    assert made.scan(BADGES["E8"]) == OK

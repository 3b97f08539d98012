import pytest

from agent.contract.manifest import Role
from agent.contract.reasons import Reason, Seen
from agent.contract.signals import Signal
from centre.web.board.plain_words import (
    plural,
    reason_words,
    refusal_sentence,
    role_words,
    seen_words,
    signal_icon,
    signal_words,
)


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_words_and_advice(reason: Reason) -> None:
    assert refusal_sentence(reason, None).startswith(f"{reason_words(reason)}. ")
    assert refusal_sentence(reason, None).endswith(".")


@pytest.mark.parametrize("signal", Signal)
def test_each_signal_has_words_and_an_icon(signal: Signal) -> None:
    assert signal_words(signal, None)
    assert signal_icon(signal)


def test_all_that_may_be_seen_and_all_roles_have_words() -> None:
    assert all(seen_words(seen) for seen in Seen)
    assert [role_words(role) for role in Role] == ["Picked by", "Packed by", "Shipped by"]


def test_words_of_a_newer_kiosk_are_shown_as_they_are() -> None:
    assert signal_words("hum", "too_loud") == "hum: too loud"
    assert refusal_sentence("too_loud", "a_song") == "too loud, it is a song."


def test_plural() -> None:
    assert [plural(1, "box", "boxes"), plural(2000, "box", "boxes"), plural(0, "piece")] == [
        "1 box", "2,000 boxes", "0 pieces",
    ]  # fmt: skip

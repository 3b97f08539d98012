"""The demonstration in lines, and signals in words."""

import io

import pytest

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.board import Answer, Arrival, Caption, Entry, Note
from agent.demo.hints import Hint
from agent.demo.plain import PlainLines, line_of
from agent.demo.telling import beeps, light_word

REFUSED = Answer(typed="imei bad", signal=Signal.REJECT, reason=Reason.BAD_CHECK_DIGIT, pending=0)


@pytest.mark.parametrize("signal", [signal for signal in Signal if signal is not Signal.WHERE])
def test_every_signal_has_a_light_and_a_rhythm_in_words(signal: Signal) -> None:
    assert light_word(signal) != ""
    assert set(beeps(signal, 0, short="S", long="L").split()) <= {"S", "L"}
    assert "S" in beeps(signal, 0, short="S", long="L") or "L" in beeps(signal, 0, short="S", long="L")


def test_where_is_a_number() -> None:
    assert (light_word(Signal.WHERE), beeps(Signal.WHERE, 12, short="S", long="L")) == ("", "ticks 12")
    assert beeps(Signal.WHERE, -3, short="S", long="L") == "ticks 0"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (REFUSED, ["scan", "imei", "bad", "reject", "light", "red", "buzzer", "L", "L", "L", "bad_check_digit"]),
        (
            Answer(typed=None, signal=Signal.ALARM, reason=Reason.HELD, pending=0),
            ["scan", "(the", "centre)", "alarm", "light", "red/blue", "buzzer", *"LLLSSLLLSS", "held"],
        ),
        (
            Arrival(sequence=7, kind="scan.accepted", summary="CASE-13 × 3"),
            ["event", "000000000007", "scan.accepted", "CASE-13", "×", "3"],
        ),
        (Caption("job 1", ""), ["==", "job", "1"]),
        (Caption("job 1", "Noor signs in"), ["Noor", "signs", "in"]),
        (Note("there is imei 1 only"), ["there", "is", "imei", "1", "only"]),
    ],
)
def test_lines(entry: Entry, words: list[str]) -> None:
    assert line_of(entry).split() == words


@pytest.mark.parametrize("with_hints", [True, False])
def test_after_an_answer_comes_the_hint(with_hints: bool) -> None:
    out = io.StringIO()
    plain = PlainLines(out, with_hints=with_hints)
    plain.open(lambda: Hint("open an order", ("order so-1001", "order do-2002")))
    plain.take(REFUSED)
    plain.take(Note("hello"))
    plain.close()
    hint = ["next   open an order: order so-1001 · order do-2002"] if with_hints else []
    assert out.getvalue().splitlines() == [line_of(REFUSED), *hint, line_of(Note("hello"))]


def test_a_reader_that_went_away_is_no_error() -> None:
    out = io.StringIO()
    out.close()
    plain = PlainLines(out, with_hints=False)
    plain.open(lambda: None)
    plain.take(Note("hello"))
    plain.close()
    assert not plain.is_writing

"""Signals and events in words, printed in order and without keeping anybody waiting."""

import io

import pytest

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.console import Answer, Console, event_line, signal_line
from agent.demo.event_summary import EventSummary

REFUSED = Answer(typed="imei bad", signal=Signal.REJECT, reason=Reason.BAD_CHECK_DIGIT, pending=0)


class TerminalText(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("signal", [signal for signal in Signal if signal is not Signal.WHERE])
def test_every_signal_has_a_light_and_a_rhythm_in_words(signal: Signal) -> None:
    words = signal_line(Answer(typed="save", signal=signal, reason=None, pending=0)).split()
    light, rhythm = words[words.index("light") + 1], words[words.index("buzzer") + 1 :]
    assert light != "-"
    assert rhythm
    assert set(rhythm) <= {"S", "L"}


@pytest.mark.parametrize(("pending", "told"), [(12, "12"), (-3, "0")])
def test_where_is_a_number(pending: int, told: str) -> None:
    line = signal_line(Answer(typed="where", signal=Signal.WHERE, reason=None, pending=pending))
    assert line.split() == ["scan", "where", "where", "light", "-", "buzzer", "ticks", told, "still", "pending"]


def test_lines() -> None:
    words = ["scan", "imei", "bad", "reject", "light", "red", "buzzer", "L", "L", "L", "bad_check_digit"]
    assert signal_line(REFUSED).split() == words
    alarm = Answer(typed=None, signal=Signal.ALARM, reason=Reason.HELD, pending=0)
    words = ["scan", "(the", "centre)", "alarm", "light", "red/blue", "buzzer", *"LLLSSLLLSS", "held"]
    assert signal_line(alarm).split() == words
    event = EventSummary(sequence=7, kind="scan.accepted", text="CASE-13 × 3")
    assert event_line(event).split() == ["event", "000000000007", "scan.accepted", "CASE-13", "×", "3"]


def test_lines_come_in_their_order_and_are_all_there_at_the_end() -> None:
    out = io.StringIO()
    with Console(out) as console:
        console.say("hello")
        console.signal(REFUSED)
        console.prompt()
        console.event(EventSummary(sequence=1, kind="scan.rejected", text="x"))
    assert out.getvalue().splitlines() == [
        "hello",
        signal_line(REFUSED),
        "event  000000000001 scan.rejected            x",
    ]


def test_at_a_terminal_a_signal_has_its_colour_and_there_is_a_prompt() -> None:
    out = TerminalText()
    with Console(out) as console:
        console.signal(REFUSED)
        console.prompt()
    assert out.getvalue() == f"\x1b[91m{signal_line(REFUSED)}\x1b[0m\nscan>  "


def test_a_reader_that_went_away_is_no_error() -> None:
    out = io.StringIO()
    with Console(out) as console:
        out.close()
        console.say("hello")
        console.say("again")

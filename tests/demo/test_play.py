"""The play: what it types, how it waits, and that it notices whatever is not in its script."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.board import Board
from agent.demo.play import FAST, Pace, Play
from agent.demo.script import SCENES, Scene, Step

PATIENCE_S = 10.0


def step(typed: str, signal: Signal = Signal.OK, reason: Reason | None = None, **more: bool) -> Step:
    marks = {"hasty": False, "alarm": False, "portrait": False, **more}
    return Step(typed=typed, signal=signal, reason=reason, say="", **marks)


Answers = list[tuple[Signal, Reason | None]]


@dataclass
class Kiosk:
    """Answers what is typed as it is told to, from the other end of the pipe; then falls silent."""

    board: Board
    answers: Answers
    alarms_after: str = ""
    typed: list[str] = field(default_factory=list)

    def serve(self, reading: int) -> None:
        with os.fdopen(reading, "rb", closefd=False) as lines:
            for line in lines:
                self.typed.append(line.decode().strip())
                if not self.answers:
                    self.board.close()
                    continue
                self.board.scanned(self.typed[-1])
                self.board.signalled(*self.answers.pop(0), 0)
                if self.typed[-1] == self.alarms_after:
                    self.board.signalled(Signal.ALARM, Reason.HELD, 0)


@contextmanager
def playing(
    steps: Iterable[Step], answers: Answers, *, pace: Pace = FAST, bounce_s: float = 0.0, alarms_after: str = ""
) -> Iterator[tuple[Play, Kiosk, list[str]]]:
    """The play, at its end, with the kiosk and the calls that it made."""
    board = Board()
    kiosk = Kiosk(board, list(answers), alarms_after)
    reading, writing = os.pipe()
    server = threading.Thread(target=kiosk.serve, args=(reading,))
    server.start()
    calls: list[str] = []
    ended = threading.Event()

    def note(call: str) -> Callable[[], None]:
        def called() -> None:
            calls.append(call)
            if call == "end":
                ended.set()

        return called

    play = Play(
        [Scene("a scene", tuple(steps))],
        fd=writing,
        board=board,
        pace=pace,
        bounce_s=bounce_s,
        portray=note("portray"),
        on_end=note("end"),
    )
    play.start()
    assert ended.wait(PATIENCE_S)
    play.join()
    os.close(writing)
    server.join(PATIENCE_S)
    os.close(reading)
    yield play, kiosk, calls


def test_a_play_that_goes_by_its_script() -> None:
    script = [step("badge e7"), step("imei bad", Signal.REJECT, Reason.BAD_CHECK_DIGIT), step("save", portrait=True)]
    with playing(script, [(one.signal, one.reason) for one in script]) as (play, kiosk, calls):
        assert (play.is_complete, play.problems) == (True, [])
        assert kiosk.typed == ["badge e7", "imei bad", "save"]
        assert calls == ["portray", "end"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((Signal.REJECT, Reason.NOT_SIGNED_IN), "save: expected boxed, got reject (not_signed_in)"),
        ((Signal.OK, None), "save: expected boxed, got ok"),
    ],
)
def test_another_signal_ends_it(answer: tuple[Signal, Reason | None], problem: str) -> None:
    script = [step("save", Signal.BOXED), step("pack")]
    with playing(script, [answer, (Signal.OK, None)]) as (play, kiosk, calls):
        assert (play.is_complete, play.problems) == (False, [problem])
        assert kiosk.typed == ["save"]
        assert calls == ["end"]


def test_an_interruption_is_no_problem_and_no_completion() -> None:
    with playing([step("save"), step("pack")], [(Signal.OK, None)]) as (play, _, calls):
        assert (play.is_complete, play.problems) == (False, [])
        assert calls == ["end"]


def test_the_centre_s_alarm_is_waited_for_and_is_no_answer() -> None:
    script = [step("imei 1", alarm=True), step("save")]
    answers: Answers = [(Signal.OK, None), (Signal.OK, None)]
    with playing(script, answers, alarms_after="imei 1") as (play, kiosk, _):
        assert (play.is_complete, play.problems) == (True, [])
        assert kiosk.board.alarms == 1


def test_letter_by_letter_is_the_same_to_the_kiosk() -> None:
    script = [step("badge e7"), step("save"), step("save", hasty=True)]
    pace = Pace(title_s=0.001, step_s=0.001, letter_s=0.001)
    with playing(script, [(Signal.OK, None)] * 3, pace=pace, bounce_s=0.001) as (play, kiosk, _):
        assert play.is_complete
        assert kiosk.typed == ["badge e7", "save", "save"]


def test_the_script_has_every_job_and_one_portrait() -> None:
    titles = [scene.title for scene in SCENES]
    assert [number for number in range(1, 6) if not any(f"job {number} of 5" in title for title in titles)] == []
    steps = [one for scene in SCENES for one in scene.steps]
    assert sum(one.portrait for one in steps) == 1
    assert {one.reason for one in steps} >= {Reason.BAD_CHECK_DIGIT, Reason.ALREADY_COUNTED, Reason.WRONG_PRODUCT}

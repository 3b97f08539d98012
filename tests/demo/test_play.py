"""The play types its script, waits where it must, and notices every answer that is not in the script."""

import io

import pytest

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.console import Console
from agent.demo.play import PlayFailed, play
from agent.demo.script import SCENES, Scene, Step, scenes_of
from tests.demo.fake_kiosk import Answers, FakeDemoKiosk

OK: tuple[Signal, Reason | None] = (Signal.OK, None)
PACE_S, BOUNCE_S = 0.7, 0.5


def step(typed: str, signal: Signal = Signal.OK, reason: Reason | None = None, **more: bool) -> Step:
    return Step(typed=typed, signal=signal, reason=reason, say="", **{"hasty": False, "alarm": False, **more})


def played(kiosk: FakeDemoKiosk, *steps: Step) -> bool:
    with Console(io.StringIO()) as console:
        return play(kiosk, console, [Scene("a scene", steps)], pace_s=PACE_S, bounce_s=BOUNCE_S)


def test_a_play_that_goes_by_its_script() -> None:
    script = [step("badge e7"), step("imei bad", Signal.REJECT, Reason.BAD_CHECK_DIGIT), step("save")]
    kiosk = FakeDemoKiosk([(one.signal, one.reason) for one in script])
    assert played(kiosk, *script)
    assert kiosk.typed == ["badge e7", "imei bad", "save"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((Signal.REJECT, Reason.NOT_SIGNED_IN), r"save: expected boxed, got reject \(not_signed_in\)"),
        ((Signal.OK, None), "save: expected boxed, got ok"),
    ],
)
def test_another_signal_ends_it(answer: tuple[Signal, Reason | None], problem: str) -> None:
    kiosk = FakeDemoKiosk([answer, OK])
    with pytest.raises(PlayFailed, match=problem):
        played(kiosk, step("save", Signal.BOXED), step("pack"))
    assert kiosk.typed == ["save"]


def test_an_interruption_is_no_problem_and_no_completion() -> None:
    assert not played(FakeDemoKiosk([OK]), step("save"), step("pack"))


def test_the_alarm_of_the_centre_is_waited_for() -> None:
    answers: Answers = [OK, OK]
    assert played(FakeDemoKiosk(answers, alarm_after="imei 1"), step("imei 1", alarm=True), step("save"))
    with pytest.raises(PlayFailed, match="imei 1: the centre's verdict did not come"):
        played(FakeDemoKiosk(answers), step("imei 1", alarm=True))


def test_events_that_are_not_acknowledged_end_it() -> None:
    with pytest.raises(PlayFailed, match="save: the centre does not acknowledge the events"):
        played(FakeDemoKiosk([OK], is_acknowledged=False), step("save"))


def test_a_repeated_code_waits_until_it_is_no_bounce_unless_it_is_hasty() -> None:
    kiosk = FakeDemoKiosk([OK] * 3)
    assert played(kiosk, step("save"), step("save"), step("save", hasty=True))
    first, second, after_bounce = kiosk.rests
    assert first == second == PACE_S
    assert 0 < after_bounce <= BOUNCE_S


def test_the_script_has_every_job() -> None:
    titles = [scene.title for scene in SCENES]
    assert [number for number in range(1, 6) if not any(f"job {number} of 5" in title for title in titles)] == []
    steps = [one for scene in SCENES for one in scene.steps]
    assert {one.reason for one in steps} >= {Reason.BAD_CHECK_DIGIT, Reason.ALREADY_COUNTED, Reason.WRONG_PRODUCT}


def test_a_script_is_read_line_by_line() -> None:
    text = "== one\nsave  boxed\nimei bad    reject bad_check_digit   no\n\n== two\nsave  again  [hasty] a hand\n"
    assert list(scenes_of(text)) == [
        Scene(
            "one",
            (
                step("save", Signal.BOXED),
                Step(
                    typed="imei bad", signal=Signal.REJECT, reason=Reason.BAD_CHECK_DIGIT, say="no", hasty=False,
                    alarm=False,
                ),
            ),
        ),
        Scene(
            "two",
            (Step(typed="save", signal=Signal.AGAIN, reason=None, say="a hand", hasty=True, alarm=False),),
        ),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="not a step of the script: save"):
        list(scenes_of("== one\nsave\n"))

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from agent.contract.signals import AFTERGLOW, IDENTIFY, OFFLINE_BLIP, STEADY, Colour, Signal, Steady, Step, steps_of
from agent.drivers.indicators.score import Score

BLIP, BLIP_EVERY_MS = OFFLINE_BLIP


def steps(score: Score, count: int) -> list[Step]:
    return [score.step() for _ in range(count)]


def of_ms(score: Score, ms: int) -> list[Step]:
    """The steps of that much time at the least."""
    taken: list[Step] = []
    while sum(step.ms for step in taken) < ms:
        taken.append(score.step())
    return taken


def after(score: Score, signal: Signal) -> Step:
    """What is shown once the signal has been played through."""
    steps(score, len(steps_of(signal)))
    return score.step()


def scanning() -> Score:
    score = Score()
    score.steady(Steady.SCANNING)
    return score


GREEN = STEADY[Steady.SCANNING][0]


def test_it_is_dark_before_anything_is_known() -> None:
    assert Score().step().colour is Colour.OFF


def test_steady_light_is_repeated() -> None:
    score = Score()
    assert score.steady(Steady.BOXING)
    assert tuple(steps(score, 4)) == STEADY[Steady.BOXING] * 2


def test_signal_is_played_once_then_the_steady_light_again() -> None:
    score = scanning()
    assert score.play(Signal.OK)
    assert tuple(steps(score, len(steps_of(Signal.OK)))) == steps_of(Signal.OK)
    assert steps(score, 2) == [GREEN, GREEN]


def test_newer_signal_replaces_the_one_being_played() -> None:
    score = scanning()
    score.play(Signal.CONFIRMED)
    score.step()
    assert score.play(Signal.AGAIN)
    assert tuple(steps(score, len(steps_of(Signal.AGAIN)))) == steps_of(Signal.AGAIN)
    assert score.step() == GREEN


def test_where_tells_what_is_pending() -> None:
    score = scanning()
    score.play(Signal.WHERE, pending=12)
    assert tuple(steps(score, len(steps_of(Signal.WHERE, pending=12)))) == steps_of(Signal.WHERE, pending=12)


def test_reject_stays_red_until_the_next_scan() -> None:
    score = scanning()
    score.play(Signal.REJECT)
    assert after(score, Signal.REJECT).colour is Colour.RED
    assert score.scan_seen()
    assert score.step() == GREEN


def test_reject_is_over_with_the_next_signal() -> None:
    score = scanning()
    score.play(Signal.REJECT)
    score.play(Signal.OK)
    assert after(score, Signal.OK) == GREEN


def test_alarm_alternates_until_the_next_scan() -> None:
    score = scanning()
    score.play(Signal.ALARM)
    steps(score, len(steps_of(Signal.ALARM)))
    assert tuple(steps(score, 4)) == AFTERGLOW[Signal.ALARM] * 2


def test_fault_blinks_until_cleared_also_after_signals_in_between() -> None:
    score = scanning()
    score.play(Signal.FAULT)
    score.scan_seen()
    assert after(score, Signal.FAULT) in AFTERGLOW[Signal.FAULT]
    score.play(Signal.REJECT)
    assert after(score, Signal.REJECT).colour is Colour.RED
    score.scan_seen()
    assert tuple(steps(score, 2)) == AFTERGLOW[Signal.FAULT]
    assert score.clear_fault()
    assert score.step() == GREEN


def test_same_signal_again_begins_its_afterglow_anew() -> None:
    score = scanning()
    for _ in range(2):
        score.play(Signal.ALARM)
        assert after(score, Signal.ALARM) == AFTERGLOW[Signal.ALARM][0]


def test_nothing_but_a_signal_cuts_a_signal_short() -> None:
    score = scanning()
    score.play(Signal.OK)
    for _ in steps_of(Signal.OK):
        score.step()
        assert not score.steady(Steady.BOXING)
        assert not score.offline(True)
        assert not score.clear_fault()
        assert not score.scan_seen()
        score.steady(Steady.SCANNING)
        score.offline(False)


def test_steady_light_that_does_not_change_goes_on() -> None:
    score = scanning()
    score.step()
    assert not score.steady(Steady.SCANNING)
    assert score.steady(Steady.READY)


def test_steady_light_waits_for_the_afterglow() -> None:
    score = scanning()
    score.play(Signal.REJECT)
    after(score, Signal.REJECT)
    assert not score.steady(Steady.READY)
    assert score.step().colour is Colour.RED
    score.scan_seen()
    assert score.step() == STEADY[Steady.READY][0]


def test_offline_blips_at_once_and_then_every_five_seconds() -> None:
    for light in Steady:
        score = Score()
        score.steady(light)
        score.step()
        assert score.offline(True)
        taken = of_ms(score, 3 * BLIP_EVERY_MS)
        starts = [sum(step.ms for step in taken[:i]) for i, step in enumerate(taken) if step is BLIP]
        assert starts[:3] == [0, BLIP_EVERY_MS, 2 * BLIP_EVERY_MS]


def test_blip_takes_nothing_from_the_light_under_it() -> None:
    score = Score()
    score.steady(Steady.SIGNED_OUT)
    score.offline(True)
    light = [step for step in of_ms(score, 20_000) if step is not BLIP]
    blue_ms = sum(step.ms for step in light if step.colour is Colour.BLUE)
    dark_ms = sum(step.ms for step in light if step.colour is Colour.OFF)
    assert {step.colour for step in light} == {Colour.BLUE, Colour.OFF}
    assert 20 * blue_ms < dark_ms < 40 * blue_ms


def test_online_again_it_blips_no_more() -> None:
    score = scanning()
    score.offline(True)
    score.step()
    assert score.offline(False)
    assert not score.offline(False)
    assert BLIP not in of_ms(score, 2 * BLIP_EVERY_MS)


def test_no_blip_in_an_afterglow() -> None:
    score = scanning()
    score.offline(True)
    score.play(Signal.REJECT)
    after(score, Signal.REJECT)
    assert {step.colour for step in of_ms(score, 2 * BLIP_EVERY_MS)} == {Colour.RED}


def test_identify_blinks_once_through_and_leaves_all_as_it_was() -> None:
    score = scanning()
    score.play(Signal.REJECT)
    after(score, Signal.REJECT)
    assert score.identify()
    assert tuple(steps(score, len(IDENTIFY))) == IDENTIFY
    assert score.step().colour is Colour.RED
    score.scan_seen()
    assert score.step() == GREEN


changes = st.one_of(
    st.sampled_from(Signal).map(lambda signal: lambda score: score.play(signal, pending=3)),
    st.sampled_from(Steady).map(lambda light: lambda score: score.steady(light)),
    st.booleans().map(lambda offline: lambda score: score.offline(offline)),
    st.sampled_from([Score.scan_seen, Score.clear_fault, Score.identify, Score.step]),
)


@given(st.lists(changes, max_size=40), st.sampled_from(Steady))
def test_whatever_happened_the_steady_light_comes_back(done: list[Callable[[Score], object]], light: Steady) -> None:
    score = Score()
    for change in done:
        change(score)
    score.steady(light)
    score.offline(False)
    score.clear_fault()
    score.play(Signal.SAVED)
    steps(score, len(steps_of(Signal.SAVED)))
    assert tuple(steps(score, len(STEADY[light]))) == STEADY[light]

"""Which light and sound come next."""

from collections.abc import Callable, Sequence
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.signals import (
    AFTERGLOW,
    DARK_MS,
    IDENTIFY,
    OFFLINE_BLIP,
    STEADY,
    Colour,
    Signal,
    Steady,
    Step,
    colours_of,
    steps_of,
)
from agent.drivers.indicators.sequencer import Sequencer

BLIP, BLIP_EVERY_MS = OFFLINE_BLIP


def steps(sequencer: Sequencer, count: int) -> list[Step]:
    return [sequencer.step() for _ in range(count)]


def of_ms(sequencer: Sequencer, ms: int) -> list[Step]:
    """Return steps that last at least `ms`."""
    taken: list[Step] = []
    while sum(step.ms for step in taken) < ms:
        taken.append(sequencer.step())
    return taken


def after(sequencer: Sequencer) -> Step:
    """Play the signal through and return the step after it."""
    steps(sequencer, len(sequencer._once))
    return sequencer.step()


def scanning() -> Sequencer:
    sequencer = Sequencer()
    sequencer.steady(Steady.SCANNING)
    return sequencer


GREEN = STEADY[Steady.SCANNING][0]


def test_it_is_dark_at_first() -> None:
    assert Sequencer().step().colour is Colour.OFF


def test_steady_light_is_repeated() -> None:
    """(`signals.md#steady-lights`)"""
    sequencer = Sequencer()
    assert sequencer.steady(Steady.BOXING)
    assert tuple(steps(sequencer, 4)) == STEADY[Steady.BOXING] * 2


def test_signal_is_played_once_then_the_steady_light_again() -> None:
    """(`signals.md#signal-table`)"""
    sequencer = scanning()
    assert sequencer.play(Signal.OK)
    expected = steps_of(Signal.OK, before={Colour.GREEN})
    assert tuple(steps(sequencer, len(expected))) == expected
    assert steps(sequencer, 2) == [GREEN, GREEN]


def test_newer_signal_replaces_the_one_being_played() -> None:
    """(`signals.md#newest-signal-wins`)"""
    sequencer = scanning()
    sequencer.play(Signal.CONFIRMED)
    sequencer.step()
    assert sequencer.play(Signal.AGAIN)
    assert tuple(steps(sequencer, len(steps_of(Signal.AGAIN)))) == steps_of(Signal.AGAIN)
    assert sequencer.step() == GREEN


LASTING = (Signal.REJECT, Signal.ALARM, Signal.FAULT)


def light_of(taken: Sequence[Step]) -> list[tuple[Colour, int]]:
    """Return (colour, ms) one after the other, equal neighbours joined."""
    return [(colour, sum(step.ms for step in group)) for colour, group in groupby(taken, key=lambda step: step.colour)]


def sounds_of(taken: Sequence[Step]) -> list[tuple[bool, int]]:
    return [(buzz, sum(step.ms for step in group)) for buzz, group in groupby(taken, key=lambda step: step.buzz)]


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("light", Steady)
def test_a_signal_is_seen_over_every_steady_light(signal: Signal, light: Steady) -> None:
    """(`signals.md#seen-not-only-heard`)"""
    sequencer = Sequencer()
    sequencer.steady(light)
    steps(sequencer, 2)
    sequencer.play(signal, pending=23)
    taken = steps(sequencer, len(sequencer._once))
    shown = light_of(taken)
    has_colour = not colours_of(signal).isdisjoint({step.colour for step in STEADY[light]})
    if signal is not Signal.WHERE:
        assert (shown[0] == (Colour.OFF, DARK_MS)) == has_colour
        assert shown[has_colour][0] in colours_of(signal)
    if signal in LASTING:
        assert sequencer.step() == AFTERGLOW[signal][0]
    else:
        assert shown[-1][0] is Colour.OFF
        assert shown[-1][1] >= DARK_MS
    # The buzzer sounds at once, and as it does without any light before.
    if signal is not Signal.WHERE:
        assert sounds_of(taken)[0] == sounds_of(steps_of(signal, pending=23))[0]
    assert taken[0].buzz


@pytest.mark.parametrize("signal", LASTING)
def test_the_same_signal_again_is_seen(signal: Signal) -> None:
    """(`signals.md#seen-not-only-heard`)"""
    sequencer = scanning()
    sequencer.play(signal)
    assert light_of([after(sequencer)]) != [(Colour.OFF, DARK_MS)]
    sequencer.scan_seen()
    sequencer.step()
    sequencer.play(signal)
    assert light_of(steps(sequencer, 10))[0] == (Colour.OFF, DARK_MS)
    sequencer.scan_seen()
    sequencer.play(Signal.AGAIN)
    assert sequencer.step().colour is Colour.AMBER


def test_a_success_over_the_same_success_is_seen() -> None:
    """(`signals.md#seen-not-only-heard`)"""
    sequencer = Sequencer()
    sequencer.steady(Steady.READY)
    sequencer.play(Signal.OK)
    assert sequencer.step().colour is Colour.GREEN
    sequencer.play(Signal.SAVED)
    assert light_of(steps(sequencer, len(sequencer._once)))[:2] == [(Colour.OFF, DARK_MS), (Colour.GREEN, 800)]
    sequencer.step()
    sequencer.play(Signal.OK)
    assert sequencer.step().colour is Colour.GREEN


def test_a_signal_replaces_the_dark_before_another() -> None:
    """(`signals.md#seen-not-only-heard`)"""
    sequencer = scanning()
    sequencer.play(Signal.OK)
    assert sequencer.step().colour is Colour.OFF
    sequencer.play(Signal.BOXED)
    assert sequencer.step() == steps_of(Signal.BOXED)[0]


def test_where_plays_the_pending_count() -> None:
    """(`signals.md#where-am-i`)"""
    sequencer = scanning()
    sequencer.play(Signal.WHERE, pending=12)
    assert tuple(steps(sequencer, len(steps_of(Signal.WHERE, pending=12)))) == steps_of(Signal.WHERE, pending=12)


def test_reject_stays_red_until_the_next_scan() -> None:
    """(`signals.md#signal-table`)"""
    sequencer = scanning()
    sequencer.play(Signal.REJECT)
    assert after(sequencer).colour is Colour.RED
    assert sequencer.scan_seen()
    assert sequencer.step() == GREEN


def test_reject_ends_with_the_next_signal() -> None:
    sequencer = scanning()
    sequencer.play(Signal.REJECT)
    sequencer.play(Signal.OK)
    assert after(sequencer) == GREEN


def test_alarm_alternates_until_the_next_scan() -> None:
    """(`signals.md#signal-table`)"""
    sequencer = scanning()
    sequencer.play(Signal.ALARM)
    steps(sequencer, len(sequencer._once))
    assert tuple(steps(sequencer, 4)) == AFTERGLOW[Signal.ALARM] * 2


def test_fault_blinks_until_cleared_also_after_signals_in_between() -> None:
    """(`signals.md#signal-table`)"""
    sequencer = scanning()
    sequencer.play(Signal.FAULT)
    sequencer.scan_seen()
    assert after(sequencer) in AFTERGLOW[Signal.FAULT]
    sequencer.play(Signal.REJECT)
    assert after(sequencer).colour is Colour.RED
    sequencer.scan_seen()
    assert tuple(steps(sequencer, 2)) == AFTERGLOW[Signal.FAULT]
    assert sequencer.clear_fault()
    assert sequencer.step() == GREEN


def test_same_signal_again_restarts_its_afterglow() -> None:
    sequencer = scanning()
    for _ in range(2):
        sequencer.play(Signal.ALARM)
        assert after(sequencer) == AFTERGLOW[Signal.ALARM][0]


def test_only_a_signal_cuts_a_signal_short() -> None:
    sequencer = scanning()
    sequencer.play(Signal.OK)
    for _ in range(len(sequencer._once)):
        sequencer.step()
        assert not sequencer.steady(Steady.BOXING)
        assert not sequencer.offline(True)
        assert not sequencer.clear_fault()
        assert not sequencer.scan_seen()
        sequencer.steady(Steady.SCANNING)
        sequencer.offline(False)


def test_unchanged_steady_light_continues() -> None:
    sequencer = scanning()
    sequencer.step()
    assert not sequencer.steady(Steady.SCANNING)
    assert sequencer.steady(Steady.READY)


def test_steady_light_waits_for_the_afterglow() -> None:
    sequencer = scanning()
    sequencer.play(Signal.REJECT)
    after(sequencer)
    assert not sequencer.steady(Steady.READY)
    assert sequencer.step().colour is Colour.RED
    sequencer.scan_seen()
    assert sequencer.step() == STEADY[Steady.READY][0]


def test_offline_blips_at_once_and_then_every_five_seconds() -> None:
    """(`signals.md#steady-lights`)"""
    for light in Steady:
        sequencer = Sequencer()
        sequencer.steady(light)
        sequencer.step()
        assert sequencer.offline(True)
        taken = of_ms(sequencer, 3 * BLIP_EVERY_MS)
        starts = [sum(step.ms for step in taken[:i]) for i, step in enumerate(taken) if step is BLIP]
        assert starts[:3] == [0, BLIP_EVERY_MS, 2 * BLIP_EVERY_MS]


def test_blip_does_not_shift_the_light_under_it() -> None:
    sequencer = Sequencer()
    sequencer.steady(Steady.SIGNED_OUT)
    sequencer.offline(True)
    light = [step for step in of_ms(sequencer, 20_000) if step is not BLIP]
    blue_ms = sum(step.ms for step in light if step.colour is Colour.BLUE)
    dark_ms = sum(step.ms for step in light if step.colour is Colour.OFF)
    assert {step.colour for step in light} == {Colour.BLUE, Colour.OFF}
    assert 20 * blue_ms < dark_ms < 40 * blue_ms


def test_no_blip_once_online_again() -> None:
    sequencer = scanning()
    sequencer.offline(True)
    sequencer.step()
    assert sequencer.offline(False)
    assert not sequencer.offline(False)
    assert BLIP not in of_ms(sequencer, 2 * BLIP_EVERY_MS)


def test_no_blip_in_an_afterglow() -> None:
    sequencer = scanning()
    sequencer.offline(True)
    sequencer.play(Signal.REJECT)
    after(sequencer)
    assert {step.colour for step in of_ms(sequencer, 2 * BLIP_EVERY_MS)} == {Colour.RED}


def test_identify_blinks_once_and_changes_nothing_else() -> None:
    sequencer = scanning()
    sequencer.play(Signal.REJECT)
    after(sequencer)
    assert sequencer.identify()
    assert tuple(steps(sequencer, len(IDENTIFY))) == IDENTIFY
    assert sequencer.step().colour is Colour.RED
    sequencer.scan_seen()
    assert sequencer.step() == GREEN


changes = st.one_of(
    st.sampled_from(Signal).map(lambda signal: lambda sequencer: sequencer.play(signal, pending=3)),
    st.sampled_from(Steady).map(lambda light: lambda sequencer: sequencer.steady(light)),
    st.booleans().map(lambda offline: lambda sequencer: sequencer.offline(offline)),
    st.sampled_from([Sequencer.scan_seen, Sequencer.clear_fault, Sequencer.identify, Sequencer.step]),
)


@given(st.lists(changes, max_size=40), st.sampled_from(Steady))
def test_the_steady_light_always_comes_back(done: list[Callable[[Sequencer], object]], light: Steady) -> None:
    sequencer = Sequencer()
    for change in done:
        change(sequencer)
    sequencer.steady(light)
    sequencer.offline(False)
    sequencer.clear_fault()
    sequencer.play(Signal.SAVED)
    steps(sequencer, len(sequencer._once))
    assert tuple(steps(sequencer, len(STEADY[light]))) == STEADY[light]

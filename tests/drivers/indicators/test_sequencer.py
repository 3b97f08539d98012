"""Which light and sound come next."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from agent.contract.signals import AFTERGLOW, IDENTIFY, OFFLINE_BLIP, STEADY, Colour, Signal, Steady, Step, steps_of
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


def after(sequencer: Sequencer, signal: Signal) -> Step:
    """Play the signal through and return the step after it."""
    steps(sequencer, len(steps_of(signal)))
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
    assert tuple(steps(sequencer, len(steps_of(Signal.OK)))) == steps_of(Signal.OK)
    assert steps(sequencer, 2) == [GREEN, GREEN]


def test_newer_signal_replaces_the_one_being_played() -> None:
    """(`signals.md#newest-signal-wins`)"""
    sequencer = scanning()
    sequencer.play(Signal.CONFIRMED)
    sequencer.step()
    assert sequencer.play(Signal.AGAIN)
    assert tuple(steps(sequencer, len(steps_of(Signal.AGAIN)))) == steps_of(Signal.AGAIN)
    assert sequencer.step() == GREEN


def test_where_plays_the_pending_count() -> None:
    """(`signals.md#where-am-i`)"""
    sequencer = scanning()
    sequencer.play(Signal.WHERE, pending=12)
    assert tuple(steps(sequencer, len(steps_of(Signal.WHERE, pending=12)))) == steps_of(Signal.WHERE, pending=12)


def test_reject_stays_red_until_the_next_scan() -> None:
    """(`signals.md#signal-table`)"""
    sequencer = scanning()
    sequencer.play(Signal.REJECT)
    assert after(sequencer, Signal.REJECT).colour is Colour.RED
    assert sequencer.scan_seen()
    assert sequencer.step() == GREEN


def test_reject_ends_with_the_next_signal() -> None:
    sequencer = scanning()
    sequencer.play(Signal.REJECT)
    sequencer.play(Signal.OK)
    assert after(sequencer, Signal.OK) == GREEN


def test_alarm_alternates_until_the_next_scan() -> None:
    """(`signals.md#signal-table`)"""
    sequencer = scanning()
    sequencer.play(Signal.ALARM)
    steps(sequencer, len(steps_of(Signal.ALARM)))
    assert tuple(steps(sequencer, 4)) == AFTERGLOW[Signal.ALARM] * 2


def test_fault_blinks_until_cleared_also_after_signals_in_between() -> None:
    """(`signals.md#signal-table`)"""
    sequencer = scanning()
    sequencer.play(Signal.FAULT)
    sequencer.scan_seen()
    assert after(sequencer, Signal.FAULT) in AFTERGLOW[Signal.FAULT]
    sequencer.play(Signal.REJECT)
    assert after(sequencer, Signal.REJECT).colour is Colour.RED
    sequencer.scan_seen()
    assert tuple(steps(sequencer, 2)) == AFTERGLOW[Signal.FAULT]
    assert sequencer.clear_fault()
    assert sequencer.step() == GREEN


def test_same_signal_again_restarts_its_afterglow() -> None:
    sequencer = scanning()
    for _ in range(2):
        sequencer.play(Signal.ALARM)
        assert after(sequencer, Signal.ALARM) == AFTERGLOW[Signal.ALARM][0]


def test_only_a_signal_cuts_a_signal_short() -> None:
    sequencer = scanning()
    sequencer.play(Signal.OK)
    for _ in steps_of(Signal.OK):
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
    after(sequencer, Signal.REJECT)
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
    after(sequencer, Signal.REJECT)
    assert {step.colour for step in of_ms(sequencer, 2 * BLIP_EVERY_MS)} == {Colour.RED}


def test_identify_blinks_once_and_changes_nothing_else() -> None:
    sequencer = scanning()
    sequencer.play(Signal.REJECT)
    after(sequencer, Signal.REJECT)
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
    steps(sequencer, len(steps_of(Signal.SAVED)))
    assert tuple(steps(sequencer, len(STEADY[light]))) == STEADY[light]

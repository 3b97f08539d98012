"""Playing signals on a lamp, in a thread."""

import queue
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from agent.contract.signals import Colour, Signal, Steady, steps_of
from agent.drivers.indicators.player import Player
from agent.errors import DeviceError
from tests.drivers.benches import GIVE_UP_S


class RecordingLamp:
    """A lamp that records what it is told, and can be waited for."""

    def __init__(self) -> None:
        self.done: queue.Queue[tuple[Colour, bool] | float | str] = queue.Queue()
        self.fails = threading.Event()
        self.hangs = threading.Event()
        self.hangs.set()
        self.threads: set[int] = set()

    def set(self, colour: Colour, buzz: bool) -> None:
        self.threads.add(threading.get_ident())
        self.hangs.wait()
        self.done.put((colour, buzz))
        if self.fails.is_set():
            raise DeviceError("GPIO: gone")

    def bar(self, fraction: float) -> None:
        self.done.put(fraction)

    def close(self) -> None:
        self.done.put("closed")

    def until(self, wanted: tuple[Colour, bool] | float | str) -> list[tuple[Colour, bool] | float | str]:
        """Wait until the lamp was told `wanted`; return everything it was told up to then."""
        done: list[tuple[Colour, bool] | float | str] = []
        while not done or done[-1] != wanted:
            done.append(self.done.get(timeout=GIVE_UP_S))
        return done


@pytest.fixture
def lamp() -> RecordingLamp:
    return RecordingLamp()


@pytest.fixture
def player(lamp: RecordingLamp) -> Iterator[Player]:
    player = Player(lamp, name="test")
    lamp.until((Colour.OFF, False))
    yield player
    lamp.hangs.set()
    player.close()


def test_signal_is_played_step_by_step_then_the_steady_light(player: Player, lamp: RecordingLamp) -> None:
    """(`signals.md#signal-table`)"""
    player.steady(Steady.READY)
    lamp.until((Colour.BLUE, False))
    player.show(Signal.OK, None, monotonic_ns=1)
    played = [(step.colour, step.buzz) for step in steps_of(Signal.OK)]
    assert lamp.until((Colour.BLUE, False)) == [*played, (Colour.BLUE, False)]


def test_newer_signal_replaces_the_older_at_once(player: Player, lamp: RecordingLamp) -> None:
    """(`signals.md#newest-signal-wins`)"""
    player.show(Signal.CONFIRMED, None, monotonic_ns=1)
    lamp.until((Colour.GREEN, True))
    player.show(Signal.BOXED, None, monotonic_ns=2)
    assert lamp.until((Colour.BLUE, True))[0] in [(Colour.BLUE, True), (Colour.GREEN, False)]


def test_lamp_is_driven_by_one_thread_which_is_not_the_caller(player: Player, lamp: RecordingLamp) -> None:
    player.show(Signal.OK, None, monotonic_ns=1)
    lamp.until((Colour.GREEN, True))
    assert len(lamp.threads) == 1
    assert threading.get_ident() not in lamp.threads


@pytest.mark.parametrize(
    ("scanned", "ordered", "fraction"), [(0, 4, 0.0), (1, 4, 0.25), (4, 4, 1.0), (5, 4, 1.0), (-1, 4, 0.0), (1, 0, 0.0)]
)
def test_bar_shows_scanned_divided_by_ordered(
    player: Player, lamp: RecordingLamp, scanned: int, ordered: int, fraction: float
) -> None:
    """(`signals.md#led-bar`)"""
    player.bar(scanned, ordered)
    assert lamp.until(fraction) == [fraction]


def test_failing_lamp_is_a_fault_until_it_works_again(player: Player, lamp: RecordingLamp) -> None:
    """(`faults.md#gpio-failure`)"""
    lamp.fails.set()
    player.show(Signal.OK, None, monotonic_ns=1)
    lamp.until((Colour.GREEN, True))
    lamp.until((Colour.GREEN, False))  # so that the first step is over
    assert player.fault == "GPIO: gone"
    lamp.fails.clear()
    player.show(Signal.BOXED, None, monotonic_ns=2)
    lamp.until((Colour.BLUE, True))
    lamp.until((Colour.BLUE, False))
    assert player.fault is None


def test_hanging_lamp_blocks_no_caller_and_its_queue_is_limited(player: Player, lamp: RecordingLamp) -> None:
    lamp.hangs.clear()
    for number in range(2000):
        player.show(Signal.OK, None, monotonic_ns=number)
    assert player.fault == "the device does not answer"
    lamp.hangs.set()
    lamp.until((Colour.GREEN, True))


def test_close_switches_the_lamp_off_once(lamp: RecordingLamp) -> None:
    player = Player(lamp)
    player.show(Signal.CONFIRMED, None, monotonic_ns=1)
    player.close()
    player.close()
    player.show(Signal.OK, None, monotonic_ns=2)
    assert lamp.until("closed")[-1] == "closed"
    assert lamp.done.empty()


def test_the_dark_before_and_after_a_signal_is_seen(player: Player, lamp: RecordingLamp) -> None:
    """(`signals.md#seen-not-only-heard`)"""
    player.steady(Steady.SCANNING)
    lamp.until((Colour.GREEN, False))
    player.show(Signal.OK, None, monotonic_ns=1)
    dark, *_ = lamp.until((Colour.GREEN, False))
    assert dark == (Colour.OFF, True)  # the buzzer sounds at once
    began = monotonic()
    lamp.until((Colour.OFF, False))
    lamp.until((Colour.GREEN, False))
    assert monotonic() - began > 0.3

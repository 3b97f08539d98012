"""The watch: descriptors, times, calls from other threads; and a stand-in takes turns only while the owner is away."""

import os
import select
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from agent.runtime.event_loop import EventLoop

LONG_S = 30.0
"""Longer than any test may take."""


class Pipe:
    """A device that can be written to, and what was read from it, in the order of reading."""

    def __init__(self, watch: EventLoop, heard: list[bytes]) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        watch.add_reader(self.reading, lambda: heard.append(os.read(self.reading, 100)))

    def send(self, data: bytes) -> None:
        os.write(self.writing, data)

    def close(self) -> None:
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def watch() -> Iterator[EventLoop]:
    watch = EventLoop()
    yield watch
    watch.close()
    watch.close()


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def pipe(watch: EventLoop, heard: list[bytes]) -> Iterator[Pipe]:
    pipe = Pipe(watch, heard)
    yield pipe
    pipe.close()


def gate_is_open(watch: EventLoop) -> bool:
    return bool(select.select([watch.ready_fd], [], [], 0.0)[0])


def test_a_turn_reads_what_has_come(watch: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    watch.acquire()
    pipe.send(b"A")
    watch.run_once(LONG_S)
    assert heard == [b"A"]
    watch.run_once(0.0)
    assert heard == [b"A"]


def test_a_reader_taken_away_reads_no_more(watch: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    watch.acquire()
    watch.remove_reader(pipe.reading)
    watch.remove_reader(pipe.reading)
    pipe.send(b"A")
    watch.run_once(0.0)
    assert heard == []


def test_a_reader_taken_away_by_another_in_the_same_turn_reads_no_more(watch: EventLoop) -> None:
    heard: list[bytes] = []
    one, two = Pipe(watch, heard), Pipe(watch, heard)
    for own, other in ((one, two), (two, one)):

        def read(own: Pipe = own, other: Pipe = other) -> None:
            heard.append(os.read(own.reading, 100))
            watch.remove_reader(other.reading)

        watch.add_reader(own.reading, read)
        own.send(b"A")
    watch.acquire()
    watch.run_once(LONG_S)
    watch.run_once(0.0)
    assert heard == [b"A"]
    one.close()
    two.close()


def test_what_cannot_be_waited_for_is_refused(watch: EventLoop) -> None:
    with open(os.devnull, "rb") as file, pytest.raises(PermissionError):
        watch.add_reader(file.fileno(), lambda: None)


def test_a_descriptor_closed_before_it_is_taken_away_is_fine(watch: EventLoop, heard: list[bytes]) -> None:
    pipe = Pipe(watch, heard)
    pipe.close()
    watch.remove_reader(pipe.reading)


def test_calls_come_in_the_order_of_their_times_and_not_before(watch: EventLoop) -> None:
    watch.acquire()
    came: list[tuple[str, float]] = []
    now = watch.time()
    for name, delay_s in (("second", 0.04), ("first", 0.02), ("never", 0.03)):
        call = watch.call_at(now + delay_s, lambda name=name: came.append((name, monotonic())))
        if name == "never":
            call.cancel()
    while len(came) < 2:
        watch.run_once(LONG_S)
    assert [name for name, _ in came] == ["first", "second"]
    assert came[0][1] >= now + 0.02
    assert came[1][1] >= now + 0.04


def test_a_call_made_by_a_call_is_for_the_next_turn(watch: EventLoop) -> None:
    watch.acquire()
    came: list[str] = []

    def again() -> None:
        came.append("once")
        watch.call_soon(again)

    watch.call_soon(again)
    watch.run_once(LONG_S)
    assert came == ["once"]
    watch.run_once(LONG_S)
    assert came == ["once", "once"]


def test_what_has_come_is_read_before_a_time_is_up(watch: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    """A scan whose last bytes lie in the line is not cut short by the gap's time, however late both are looked at."""
    watch.acquire()
    watch.call_soon(heard.append, b"time is up")
    pipe.send(b"A")
    watch.run_once(LONG_S)
    assert heard == [b"A", b"time is up"]


def test_calls_and_wakes_from_another_thread_end_the_waiting(watch: EventLoop) -> None:
    came: list[str] = []
    watch.acquire()
    for call in (lambda: watch.call_soon_threadsafe(came.append, "called"), watch.wake):
        timer = threading.Timer(0.02, call)
        timer.start()
        before = monotonic()
        watch.run_once(LONG_S)
        assert monotonic() - before < LONG_S
        timer.join()
    assert came == ["called"]


def test_a_wake_before_the_turn_is_not_lost(watch: EventLoop) -> None:
    watch.acquire()
    watch.wake()
    before = monotonic()
    watch.run_once(LONG_S)
    assert monotonic() - before < LONG_S


def test_stand_in_reads_while_the_owner_is_away(watch: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    watch.acquire()
    watch.release()
    assert not gate_is_open(watch)
    pipe.send(b"A")
    assert gate_is_open(watch)
    watch.try_run_once()
    assert heard == [b"A"]
    assert not gate_is_open(watch)


def test_stand_in_makes_the_calls_that_are_due_while_the_owner_is_away(watch: EventLoop) -> None:
    came: list[str] = []
    watch.acquire()
    watch.call_soon(came.append, "time is up")
    watch.call_soon_threadsafe(came.append, "called")
    watch.try_run_once()
    assert came == []
    watch.release()
    watch.try_run_once()
    assert came == ["called", "time is up"]


def test_stand_in_does_nothing_while_the_owner_is_there(watch: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    watch.acquire()
    pipe.send(b"A")
    assert not gate_is_open(watch)
    watch.try_run_once()
    assert heard == []
    watch.run_once(LONG_S)
    assert heard == [b"A"]


def test_stand_in_that_fails_leaves_the_turns_to_the_owner(watch: EventLoop, pipe: Pipe) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    watch.add_reader(pipe.reading, fail)
    pipe.send(b"A")
    with pytest.raises(ZeroDivisionError):
        watch.try_run_once()
    watch.acquire()
    with pytest.raises(ZeroDivisionError):
        watch.run_once(LONG_S)


def test_owner_and_stand_in_read_everything_once_and_in_order(watch: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    """Both at it at once, the owner coming and going: not a byte is lost, doubled or out of order."""
    sent = bytes(range(256)) * 40
    is_over = threading.Event()

    def stand_in() -> None:
        while not is_over.is_set():
            if select.select([watch.ready_fd], [], [], 0.01)[0]:
                watch.try_run_once()

    def send() -> None:
        for at in range(0, len(sent), 16):
            pipe.send(sent[at : at + 16])

    threads = [threading.Thread(target=stand_in), threading.Thread(target=send)]
    for thread in threads:
        thread.start()
    end = monotonic() + LONG_S
    while len(b"".join(heard)) < len(sent) and monotonic() < end:
        watch.acquire()
        watch.run_once(0.001)
        watch.release()
    is_over.set()
    for thread in threads:
        thread.join()
    assert b"".join(heard) == sent

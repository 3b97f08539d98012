"""The event loop: descriptors, timers, calls from other threads, and that only one thread runs it at a time."""

import os
import select
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from agent.runtime.event_loop import EventLoop

LONG_S = 30.0
"""Longer than any test takes."""


class Pipe:
    """A device that can be written to. What is read from it is appended to `heard`."""

    def __init__(self, loop: EventLoop, heard: list[bytes]) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        loop.add_reader(self.reading, lambda: heard.append(os.read(self.reading, 100)))

    def send(self, data: bytes) -> None:
        os.write(self.writing, data)

    def close(self) -> None:
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    loop = EventLoop()
    yield loop
    loop.close()
    loop.close()


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def pipe(loop: EventLoop, heard: list[bytes]) -> Iterator[Pipe]:
    pipe = Pipe(loop, heard)
    yield pipe
    pipe.close()


def is_ready(loop: EventLoop) -> bool:
    return bool(select.select([loop.ready_fd], [], [], 0.0)[0])


def test_a_run_reads_what_has_arrived(loop: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    loop.acquire()
    pipe.send(b"A")
    loop.run_once(LONG_S)
    assert heard == [b"A"]
    loop.run_once(0.0)
    assert heard == [b"A"]


def test_a_removed_reader_is_not_called(loop: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    loop.acquire()
    loop.remove_reader(pipe.reading)
    loop.remove_reader(pipe.reading)
    pipe.send(b"A")
    loop.run_once(0.0)
    assert heard == []


def test_a_reader_removed_by_another_in_the_same_run_is_not_called(loop: EventLoop) -> None:
    heard: list[bytes] = []
    one, two = Pipe(loop, heard), Pipe(loop, heard)
    for own, other in ((one, two), (two, one)):

        def read(own: Pipe = own, other: Pipe = other) -> None:
            heard.append(os.read(own.reading, 100))
            loop.remove_reader(other.reading)

        loop.add_reader(own.reading, read)
        own.send(b"A")
    loop.acquire()
    loop.run_once(LONG_S)
    loop.run_once(0.0)
    assert heard == [b"A"]
    one.close()
    two.close()


def test_a_descriptor_that_epoll_does_not_take_is_refused(loop: EventLoop) -> None:
    with open(os.devnull, "rb") as file, pytest.raises(PermissionError):
        loop.add_reader(file.fileno(), lambda: None)


def test_a_descriptor_may_be_closed_before_it_is_removed(loop: EventLoop, heard: list[bytes]) -> None:
    pipe = Pipe(loop, heard)
    pipe.close()
    loop.remove_reader(pipe.reading)


def test_timers_run_in_order_and_not_early(loop: EventLoop) -> None:
    loop.acquire()
    came: list[tuple[str, float]] = []
    now = loop.time()
    for name, delay_s in (("second", 0.04), ("first", 0.02), ("never", 0.03)):
        call = loop.call_at(now + delay_s, lambda name=name: came.append((name, monotonic())))
        if name == "never":
            call.cancel()
    while len(came) < 2:
        loop.run_once(LONG_S)
    assert [name for name, _ in came] == ["first", "second"]
    assert came[0][1] >= now + 0.02
    assert came[1][1] >= now + 0.04


def test_a_callback_added_by_a_callback_runs_in_the_next_run(loop: EventLoop) -> None:
    loop.acquire()
    came: list[str] = []

    def again() -> None:
        came.append("once")
        loop.call_soon(again)

    loop.call_soon(again)
    loop.run_once(LONG_S)
    assert came == ["once"]
    loop.run_once(LONG_S)
    assert came == ["once", "once"]


def test_input_is_read_before_timers_run(loop: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    """A scan whose last bytes wait in the kernel is not cut short by the gap timer, however late both are looked at.

    (`scanning.md#unreadable-scans`)
    """
    loop.acquire()
    loop.call_soon(heard.append, b"time is up")
    pipe.send(b"A")
    loop.run_once(LONG_S)
    assert heard == [b"A", b"time is up"]


def test_calls_and_wakes_from_another_thread_end_the_wait(loop: EventLoop) -> None:
    came: list[str] = []
    loop.acquire()
    for call in (lambda: loop.call_soon_threadsafe(came.append, "called"), loop.wake):
        timer = threading.Timer(0.02, call)
        timer.start()
        before = monotonic()
        loop.run_once(LONG_S)
        assert monotonic() - before < LONG_S
        timer.join()
    assert came == ["called"]


def test_a_wake_before_the_run_is_not_lost(loop: EventLoop) -> None:
    loop.acquire()
    loop.wake()
    before = monotonic()
    loop.run_once(LONG_S)
    assert monotonic() - before < LONG_S


def test_the_other_thread_reads_while_the_loop_is_released(loop: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    loop.acquire()
    loop.release()
    assert not is_ready(loop)
    pipe.send(b"A")
    assert is_ready(loop)
    loop.try_run_once()
    assert heard == [b"A"]
    assert not is_ready(loop)


def test_the_other_thread_runs_due_callbacks_while_the_loop_is_released(loop: EventLoop) -> None:
    came: list[str] = []
    loop.acquire()
    loop.call_soon(came.append, "time is up")
    loop.call_soon_threadsafe(came.append, "called")
    loop.try_run_once()
    assert came == []
    loop.release()
    loop.try_run_once()
    assert came == ["called", "time is up"]


def test_the_other_thread_does_nothing_while_the_owner_has_the_loop(
    loop: EventLoop, pipe: Pipe, heard: list[bytes]
) -> None:
    loop.acquire()
    pipe.send(b"A")
    assert not is_ready(loop)
    loop.try_run_once()
    assert heard == []
    loop.run_once(LONG_S)
    assert heard == [b"A"]


def test_an_exception_in_the_other_thread_leaves_the_loop_free(loop: EventLoop, pipe: Pipe) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    loop.add_reader(pipe.reading, fail)
    pipe.send(b"A")
    with pytest.raises(ZeroDivisionError):
        loop.try_run_once()
    loop.acquire()
    with pytest.raises(ZeroDivisionError):
        loop.run_once(LONG_S)


def test_two_threads_read_everything_once_and_in_order(loop: EventLoop, pipe: Pipe, heard: list[bytes]) -> None:
    """Both threads run the loop, the owner again and again: no byte is lost, doubled or out of order."""
    sent = bytes(range(256)) * 40
    is_over = threading.Event()

    def run_besides() -> None:
        while not is_over.is_set():
            if select.select([loop.ready_fd], [], [], 0.01)[0]:
                loop.try_run_once()

    def send() -> None:
        for at in range(0, len(sent), 16):
            pipe.send(sent[at : at + 16])

    threads = [threading.Thread(target=run_besides), threading.Thread(target=send)]
    for thread in threads:
        thread.start()
    end = monotonic() + LONG_S
    while len(b"".join(heard)) < len(sent) and monotonic() < end:
        loop.acquire()
        loop.run_once(0.001)
        loop.release()
    is_over.set()
    for thread in threads:
        thread.join()
    assert b"".join(heard) == sent

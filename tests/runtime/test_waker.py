"""Waking: a call is never lost, and a busy thread is not disturbed."""

import os
import select

import pytest

from agent.runtime.waker import Waker


def readable(waker: Waker) -> bool:
    return bool(select.select([waker.fd], [], [], 0.0)[0])


def test_a_call_while_busy_costs_no_byte_and_shortens_the_next_sleep() -> None:
    waker = Waker()
    waker.wake()
    assert not readable(waker)
    assert waker.before_wait(5.0) == 0.0
    waker.after_wait()
    assert waker.before_wait(5.0) == 5.0
    waker.close()


def test_calls_while_asleep_wake_once() -> None:
    waker = Waker()
    assert waker.before_wait(5.0) == 5.0
    waker.wake()
    waker.wake()
    assert readable(waker)
    waker.after_wait()
    waker.drain()
    assert not readable(waker)
    assert waker.before_wait(5.0) == 5.0
    waker.close()


def test_a_byte_drained_by_another_thread_takes_no_call_with_it() -> None:
    waker = Waker()
    assert waker.before_wait(5.0) == 5.0
    waker.wake()
    waker.drain()
    assert waker.before_wait(5.0) == 0.0
    waker.close()


def test_close_is_idempotent_and_a_later_wake_is_a_no_op() -> None:
    waker = Waker()
    fds = (waker.fd, waker._write_fd)
    waker.close()
    waker.close()
    waker.wake()
    for fd in fds:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)

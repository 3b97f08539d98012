"""Waking a waiting thread: no call is lost, and a busy thread is not disturbed."""

import os
import select

import pytest

from agent.runtime.waker import Waker


def readable(waker: Waker) -> bool:
    return bool(select.select([waker.fd], [], [], 0.0)[0])


def test_a_wake_while_busy_writes_nothing_and_skips_the_next_wait() -> None:
    waker = Waker()
    waker.wake()
    assert not readable(waker)
    assert waker.before_wait(5.0) == 0.0
    waker.after_wait()
    assert waker.before_wait(5.0) == 5.0
    waker.close()


def test_several_wakes_while_waiting_write_once() -> None:
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


def test_draining_from_another_thread_loses_no_wake() -> None:
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

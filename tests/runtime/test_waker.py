"""Waking: a call is never lost, and a busy thread is not disturbed."""

import select

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

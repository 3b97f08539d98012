"""An epoll event loop that either of two threads can run, one at a time.

The scan path's thread owns the loop, because handing a scan to another thread would cost more time than deciding about
it. While that thread works (a flush may take long), it releases the loop, and the main thread runs it instead, so that
no scanner's kernel buffer overflows. `ready_fd` tells the main thread when there is input. It is not woken for timers
and calls: it has to run the loop from time to time.
"""

import contextlib
import heapq
import select
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from time import monotonic
from typing import Any, Protocol

from agent.runtime.waker import Waker

__all__ = ["EventLoop", "Loop", "Timer"]


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None:
        """Do not call it. No-op after it was called or cancelled."""


class Loop(Protocol):
    """The part of an event loop that drivers use. `EventLoop` and asyncio's loops have it.

    Callbacks run one at a time. All methods but `call_soon_threadsafe` are for callbacks, and for set-up before the
    loop runs. Times are monotonic seconds.
    """

    def time(self) -> float: ...

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> Timer: ...

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer: ...

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> Timer: ...

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any) -> object: ...

    def add_reader(self, fd: int, callback: Callable[..., Any], *args: Any) -> None:
        """Call `callback` while the descriptor is readable or has hung up. Replaces an earlier callback for it.

        Raises OSError for a descriptor that epoll does not take.
        """

    def remove_reader(self, fd: int) -> object:
        """Stop calling for this descriptor. No-op if it was not added."""


class _Call:
    """A callback with a due time; the `Timer` that the caller gets."""

    __slots__ = ("act",)

    def __init__(self, act: Callable[[], object]) -> None:
        self.act: Callable[[], object] | None = act

    def cancel(self) -> None:
        self.act = None


class EventLoop:
    """Callbacks run inside `run_once` or `try_run_once`, in the thread that called it, never two at a time.

    The owner is one thread: it calls `acquire`, `run_once` and `release`. One other thread calls `try_run_once`.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._fd = self._epoll.fileno()
        # An epoll descriptor can be watched too: it is readable while one of its own descriptors is ready (epoll(7)).
        self._outer = select.epoll()
        self._outer.register(self._fd, 0)
        self._lock = threading.Lock()
        self._readers: dict[int, Callable[[], object]] = {}
        self._timers: list[tuple[float, int, _Call]] = []
        self._numbers = count()
        self._calls: deque[Callable[[], object]] = deque()
        self._waker = Waker()
        self.add_reader(self._waker.fd, self._waker.drain)

    def close(self) -> None:
        """Close the descriptors. Idempotent. No thread may be inside the loop."""
        if not self._epoll.closed:
            self._waker.close()
            self._outer.close()
            self._epoll.close()

    # -- the owner's thread --------------------------------------------------------------------------------------------

    def acquire(self) -> None:
        """Own the loop from now on. Waits until the other thread's `try_run_once` has returned."""
        self._outer.modify(self._fd, 0)
        self._lock.acquire()

    def release(self) -> None:
        """Let the other thread run the loop until the next `acquire`."""
        self._lock.release()
        self._outer.modify(self._fd, select.EPOLLIN)

    def run_once(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` for input, a timer, a call or `wake`, and run the callbacks that are due."""
        if self._timers:
            timeout_s = min(timeout_s, max(0.0, self._timers[0][0] - monotonic()))
        try:
            ready = self._epoll.poll(self._waker.before_wait(timeout_s))
        finally:
            self._waker.after_wait()
        self._run(ready)

    def wake(self) -> None:
        """Make the owner's `run_once` return. Any thread may call this."""
        self._waker.wake()

    # -- the other thread ----------------------------------------------------------------------------------------------

    @property
    def ready_fd(self) -> int:
        """A descriptor that is readable while the loop is released and a watched descriptor is ready."""
        return self._outer.fileno()

    def try_run_once(self) -> None:
        """Run what is due now, without waiting. No-op while the owner has the loop."""
        if self._lock.acquire(blocking=False):
            try:
                self._run(self._epoll.poll(0))
            finally:
                self._lock.release()

    # -- `Loop` --------------------------------------------------------------------------------------------------------

    time = staticmethod(monotonic)

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> _Call:
        return self.call_at(monotonic(), callback, *args)

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> _Call:
        return self.call_at(monotonic() + delay, callback, *args)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> _Call:
        call = _Call(partial(callback, *args))
        heapq.heappush(self._timers, (when, next(self._numbers), call))
        return call

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any) -> None:
        self._calls.append(partial(callback, *args))
        self._waker.wake()

    def add_reader(self, fd: int, callback: Callable[..., Any], *args: Any) -> None:
        if fd not in self._readers:
            self._epoll.register(fd, select.EPOLLIN)
        self._readers[fd] = partial(callback, *args)

    def remove_reader(self, fd: int) -> None:
        if self._readers.pop(fd, None) is not None:
            with contextlib.suppress(OSError):  # closing a descriptor removes it from epoll
                self._epoll.unregister(fd)

    def _run(self, ready: list[tuple[int, int]]) -> None:
        # Input before timers: a scan whose last bytes wait in the kernel is complete, however late its gap timer runs.
        for fd, _ in ready:
            reader = self._readers.get(fd)  # an earlier callback may have removed it
            if reader is not None:
                reader()
        while self._calls:
            self._calls.popleft()()
        if self._timers and self._timers[0][0] <= monotonic():
            self._run_timers(monotonic())

    def _run_timers(self, now: float) -> None:
        due = []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for call in due:  # timers that these callbacks add wait for the next run
            if call.act is not None:
                call.act()

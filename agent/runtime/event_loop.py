"""The watch over the devices: an event loop whose turns are taken by one thread, or by another in its stead.

A scan is read by the thread that deals with it: to hand it over would cost more than to decide about it. But no device
may be left unread for as long as a flush lasts. So the owner leaves the watch while it works; meanwhile `gate` is
readable whenever a device is, and whoever waits for it takes the turn: `stand_in`. For times and calls nobody is woken
then: a stand-in looks in from time to time.
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
from typing import Any

from agent.runtime.waker import Waker

__all__ = ["Watch"]


class _Call:
    """A call that is due at some time, unless it is cancelled."""

    __slots__ = ("act",)

    def __init__(self, act: Callable[[], object]) -> None:
        self.act: Callable[[], object] | None = act

    def cancel(self) -> None:
        self.act = None


class Watch:
    """An `agent.runtime.loop.Loop`. Callbacks run within `turn`, in the thread that takes it; never two at a time.

    `take`, `turn` and `leave` are for its owner, a thread; `stand_in` is for another one.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._gate = select.epoll()
        self._fd = self._epoll.fileno()
        self._gate.register(self._fd, 0)
        self._turns = threading.Lock()
        self._readers: dict[int, Callable[[], object]] = {}
        self._timers: list[tuple[float, int, _Call]] = []
        self._numbers = count()
        self._calls: deque[Callable[[], object]] = deque()
        self._waker = Waker()
        self.add_reader(self._waker.fd, self._waker.drain)

    def close(self) -> None:
        """Nobody waits any more. Twice is fine."""
        if not self._epoll.closed:
            self._waker.close()
            self._gate.close()
            self._epoll.close()

    # -- the owner ---------------------------------------------------------------------------------------------------

    def take(self) -> None:
        """Have the turns again; waits for the end of a stand-in's."""
        self._gate.modify(self._fd, 0)
        self._turns.acquire()

    def leave(self) -> None:
        """Let a stand-in take turns until the next `take`."""
        self._turns.release()
        self._gate.modify(self._fd, select.EPOLLIN)

    def turn(self, timeout_s: float) -> None:
        """Wait until there is something to do, `wake` or the time is over, and do it."""
        if self._timers:
            timeout_s = min(timeout_s, max(0.0, self._timers[0][0] - monotonic()))
        try:
            ready = self._epoll.poll(self._waker.prepare(timeout_s))
        finally:
            self._waker.woke()
        self._do(ready)

    def wake(self) -> None:
        """End the owner's waiting: there is something for it besides devices. From any thread."""
        self._waker.wake()

    # -- a stand-in --------------------------------------------------------------------------------------------------

    @property
    def gate(self) -> int:
        """A descriptor, readable while the owner is away and a device has something to say."""
        return self._gate.fileno()

    def stand_in(self) -> None:
        """Take one turn without waiting, if the owner has not come back."""
        if self._turns.acquire(blocking=False):
            try:
                self._do(self._epoll.poll(0))
            finally:
                self._turns.release()

    # -- the loop ----------------------------------------------------------------------------------------------------

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
            with contextlib.suppress(OSError):  # a descriptor that is closed has left by itself
                self._epoll.unregister(fd)

    def _do(self, ready: list[tuple[int, int]]) -> None:
        # What has come is read before any time is up: a scan that was read late is not cut short.
        for fd, _ in ready:
            reader = self._readers.get(fd)  # one of the others may have just taken it away
            if reader is not None:
                reader()
        while self._calls:
            self._calls.popleft()()
        if self._timers and self._timers[0][0] <= monotonic():
            self._do_what_is_due(monotonic())

    def _do_what_is_due(self, now: float) -> None:
        due = []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for call in due:  # what they add is for the next turn
            if call.act is not None:
                call.act()

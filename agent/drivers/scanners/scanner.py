"""The interface of a scanner (`Scanner`), and the base of all scanners behind file descriptors (`DeviceScanner`).

Everything runs in callbacks of the event loop, one at a time. When the loop finds a descriptor readable, the scanner
reads it, the framer cuts the bytes into frames, and `on_frame` is called with each. Nothing is queued in between.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from types import TracebackType
from typing import Self

from agent.drivers.scanners.framing import Framer
from agent.errors import DeviceError
from agent.runtime.event_loop import Loop, Timer
from agent.scan import Frame

__all__ = ["RETRY_S", "DeviceScanner", "OnFrame", "OnStatus", "Scanner"]

RETRY_S = 0.5
"""How often to look for a missing device and check a present one: it is back within 2 s."""

READ_BYTES = 4096
"""How much to read at once. A tty returns no more. It limits how long a flood keeps the loop from other devices."""

CLOCK_TICK_S = 0.001
"""The loop's timers may fire this much too early."""

OnFrame = Callable[[Frame], None]
OnStatus = Callable[[bool, str], None]
"""Called with whether the scanner is connected, and where it is or why it is not."""


class Scanner(ABC):
    """One scanner of a station. Frames and changes of its status are passed to callbacks, in the loop.

    A driver implements `_begin`, `_end`, `_hold` and `_go_on`, and reports with `_take`, `_spoil`, `_up` and `_down`.
    """

    def __init__(self, *, name: str, description: str, framer: Framer) -> None:
        self.name = name
        self.description = description
        self.connected = False
        self.detail = "not started"
        self._framer = framer
        self._loop: Loop | None = None
        self._time: Callable[[], float] = monotonic
        self._on_frame: OnFrame | None = None
        self._on_status: OnStatus | None = None
        self._gap_timer: Timer | None = None
        self._paused = False
        self._closed = False

    def start(self, loop: Loop, on_frame: OnFrame, on_status: OnStatus) -> None:
        """Begin to read. Call it once. A missing device is a status, not an error.

        `on_status` is first called before this returns, then on every change.
        """
        if self._loop is not None or self._closed:
            raise RuntimeError(f"scanner {self.name} was started before")
        self._loop = loop
        self._time = loop.time
        self._on_frame = on_frame
        self._on_status = on_status
        self._begin()

    def pause(self) -> None:
        """Stop reading, because frames arrive faster than they are processed. The kernel keeps what it can."""
        if not self._paused:
            self._paused = True
            self._cancel_gap()
            self._hold()

    def resume(self) -> None:
        """Read again. A scan that was interrupted by `pause` is not cut short by it."""
        if self._paused and not self._closed:
            self._paused = False
            if self._framer.deadline is not None:
                self._take(b"")
            self._go_on()

    def close(self) -> None:
        """Stop reading and close the device; no callback is called afterwards. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self.connected = False
        self.detail = "closed"
        self._cancel_gap()
        self._end()

    def probe(self) -> str:
        """Open and close the device, before `start`; return where it is. Raises DeviceError."""
        return self.description

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def _begin(self) -> None:
        """Look for the device and begin to read."""

    @abstractmethod
    def _end(self) -> None:
        """Release everything. Called once, started or not."""

    @abstractmethod
    def _hold(self) -> None:
        """Stop reading for now."""

    @abstractmethod
    def _go_on(self) -> None:
        """Read again after `_hold`."""

    @property
    def _running(self) -> Loop:
        if self._loop is None:
            raise RuntimeError(f"scanner {self.name} was not started")
        return self._loop

    def _take(self, data: bytes) -> None:
        """Process bytes from the device (no bytes: a sign of life)."""
        frames = self._framer.feed(data, self._time())
        if self._framer.deadline is not None:
            self._watch_gap()
        if frames:
            self._hand_on(frames)

    def _spoil(self) -> None:
        """Some of the input was lost; the device continues."""
        self._framer.spoil(self._time())
        self._watch_gap()

    def _up(self, where: str) -> None:
        """The device is connected and being read."""
        self._tell(True, where)

    def _down(self, why: str) -> None:
        """The input ended, for now or for good: a half-read scan becomes a frame that is not intact."""
        self._hand_on(self._framer.lost(self._time()))
        self._tell(False, why)

    def _tell(self, connected: bool, detail: str) -> None:
        if self._closed or self._on_status is None or (connected, detail) == (self.connected, self.detail):
            return
        self.connected = connected
        self.detail = detail
        self._on_status(connected, detail)

    def _hand_on(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if not self._closed and self._on_frame is not None:
                self._on_frame(frame)

    def _watch_gap(self) -> None:
        """Make sure that `_gap` runs by the deadline. Sets one timer per scan, not one per byte."""
        deadline = self._framer.deadline
        if deadline is not None and self._gap_timer is None and not self._paused:
            self._gap_timer = self._running.call_at(deadline, self._gap)

    def _gap(self) -> None:
        self._gap_timer = None
        frames = self._framer.idle(self._time() + CLOCK_TICK_S)
        self._watch_gap()
        self._hand_on(frames)

    def _cancel_gap(self) -> None:
        if self._gap_timer is not None:
            self._gap_timer.cancel()
            self._gap_timer = None


class DeviceScanner(Scanner):
    """A scanner behind one or more file descriptors, which may disappear and come back on another device node.

    A driver implements `_open` and `_shut`, and `_open_more`, `_decode` and `_gone` if the defaults do not fit.
    (`faults.md#scanner-unplugged`)
    """

    def __init__(self, *, name: str, description: str, framer: Framer) -> None:
        super().__init__(name=name, description=description, framer=framer)
        self._fds: tuple[int, ...] = ()
        self._retry_timer: Timer | None = None

    def probe(self) -> str:
        _, where = self._open()
        self._shut()
        return where

    @abstractmethod
    def _open(self) -> tuple[Sequence[int], str]:
        """Find and open the device; return its non-blocking descriptors, and where it is.

        Raises DeviceError, with nothing left open, if it is missing or cannot be used.
        """

    def _open_more(self) -> tuple[Sequence[int], str] | None:
        """Open what has been added to the open device; return the new descriptors, and where the device is now.

        None: nothing was added. Called every `RETRY_S`.
        """
        return None

    @abstractmethod
    def _shut(self) -> None:
        """Close the descriptors, also of a device that has vanished. No-op if nothing is open."""

    def _decode(self, _fd: int, raw: bytes) -> None:
        """Convert what was read from a descriptor to the scanner's bytes, and `_take` them."""
        self._take(raw)

    def _gone(self) -> str | None:
        """Return why the open device is no longer the configured one, or None. Called every `RETRY_S`."""
        return None

    def _begin(self) -> None:
        self._look()

    def _end(self) -> None:
        if self._retry_timer is not None:
            self._retry_timer.cancel()
        self._let_go()

    def _hold(self) -> None:
        for fd in self._fds:
            self._running.remove_reader(fd)

    def _go_on(self) -> None:
        for fd in self._fds:
            self._running.add_reader(fd, self._readable, fd)

    def _look(self) -> None:
        """Every `RETRY_S`: look for the device, or check that it is still the same."""
        if self.connected and (why := self._gone()) is not None:
            self._lose(why)
        if self.connected:
            self._grow()
        elif not self._closed:
            self._find()
        if not self._closed:
            self._retry_timer = self._running.call_later(RETRY_S, self._look)

    def _find(self) -> None:
        try:
            fds, where = self._open()
        except DeviceError as exc:
            self._tell(False, str(exc))
            return
        self._fds = tuple(fds)
        try:
            self._go_on()
        except OSError as exc:  # epoll does not support every character device
            self._let_go()
            self._tell(False, f"{where} cannot be read: {exc.strerror}")
            return
        if self._paused:
            self._hold()
        self._up(where)

    def _grow(self) -> None:
        more = self._open_more()
        if more is None:
            return
        fds, where = more
        self._fds += tuple(fds)
        try:
            if not self._paused:
                for fd in fds:
                    self._running.add_reader(fd, self._readable, fd)
        except OSError as exc:
            self._lose(f"{where} cannot be read: {exc.strerror}")
            return
        self._up(where)

    def _readable(self, fd: int) -> None:
        try:
            raw = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as exc:
            self._lose(f"lost: {exc.strerror}")
            return
        if raw:
            self._decode(fd, raw)
        else:
            self._lose("lost: end of input")

    def _lose(self, why: str) -> None:
        # Close the dead descriptors first, so that the device can get the same node name when it comes back.
        self._let_go()
        self._down(why)

    def _let_go(self) -> None:
        if self._loop is not None:
            self._hold()
        self._fds = ()
        self._shut()

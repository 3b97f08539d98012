"""Waking a thread that waits for descriptors: costs the waker two assignments while that thread is busy anyway."""

import os
from contextlib import suppress

__all__ = ["Waker"]


class Waker:
    """One sleeper, any number of wakers.

    The sleeper: `timeout_s = prepare(…)`, wait for `fd` among others, `woke()`, `drain()` if `fd` was readable, then
    look at what it might have been called for.
    """

    def __init__(self) -> None:
        self.fd, self._write_fd = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._write_fd, False)
        self._called = False
        self._asleep = False
        self._closed = False

    def wake(self) -> None:
        """There is something to look at. From any thread."""
        # The order matters: the sleeper says that it sleeps before it looks whether it was called.
        self._called = True
        if self._asleep:
            self._asleep = False
            with suppress(BlockingIOError):  # a full pipe wakes as well
                os.write(self._write_fd, b"\0")

    def before_wait(self, timeout_s: float) -> float:
        """About to sleep: for how long it may be."""
        self._asleep = True
        return 0.0 if self._called else timeout_s

    def after_wait(self) -> None:
        """Awake: every call before this one is answered by looking now."""
        self._asleep = False
        self._called = False

    def drain(self) -> None:
        """Make `fd` unreadable again. Loses no call, from whichever thread: the flag is what counts."""
        with suppress(BlockingIOError):
            os.read(self.fd, 4096)

    def close(self) -> None:
        """Close the pipe. Idempotent. No thread may wait any more; a later `wake` is a no-op."""
        if not self._closed:
            self._closed = True
            os.close(self.fd)
            os.close(self._write_fd)

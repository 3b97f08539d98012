"""A self-pipe wake-up for a thread that waits for descriptors. Does nothing if the thread is awake already."""

import os
from contextlib import suppress

__all__ = ["Waker"]


class Waker:
    """One thread waits, any thread wakes it.

    The waiting thread calls `before_wait`, waits for `fd` among others for the time that returned, calls `after_wait`,
    calls `drain` if `fd` was readable, and then looks for work.
    """

    def __init__(self) -> None:
        self.fd, self._write_fd = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._write_fd, False)
        self._called = False
        self._asleep = False
        self._closed = False

    def wake(self) -> None:
        """Wake the thread: there is work. Any thread may call this."""
        # The order matters: `before_wait` sets `_asleep` before it reads `_called`, so no call is missed.
        self._called = True
        if self._asleep:
            self._asleep = False
            with suppress(BlockingIOError):  # a full pipe wakes the thread too
                os.write(self._write_fd, b"\0")

    def before_wait(self, timeout_s: float) -> float:
        """Return how long the thread may wait: `timeout_s`, or 0 if `wake` was called since `after_wait`."""
        self._asleep = True
        return 0.0 if self._called else timeout_s

    def after_wait(self) -> None:
        """The wait is over. Work handed over before this call must be looked for now."""
        self._asleep = False
        self._called = False

    def drain(self) -> None:
        """Empty the pipe. Any thread may call this: no `wake` is lost, because the flag decides."""
        with suppress(BlockingIOError):
            os.read(self.fd, 4096)

    def close(self) -> None:
        """Close the pipe. Idempotent. No thread may be waiting; a later `wake` is a no-op."""
        if not self._closed:
            self._closed = True
            os.close(self.fd)
            os.close(self._write_fd)

"""A serial scanner: a pseudo-terminal behind a stable path."""

import fcntl
import os
import select
import time
import tty
from pathlib import Path

from harness.waiting import DEADLINE_S

__all__ = ["PtyScanner", "interleave"]


class PtyScanner:
    """Writes scans into a pseudo-terminal.

    `path` is a symbolic link, like those in /dev/serial/by-id, and stays the same when the scanner is replugged.
    """

    def __init__(self, path: Path, *, terminator: bytes = b"\r") -> None:
        self.path = path
        self.terminator = terminator
        self._ends: tuple[int, int] | None = None
        self.plug()

    @property
    def name(self) -> str:
        return self.path.name

    def plug(self) -> None:
        """Plug the scanner in, with nothing left in its line from before."""
        assert self._ends is None, f"{self.name} is plugged in already"
        ours, theirs = map(_out_of_the_way, os.openpty())
        # Raw from the start: else the line discipline echoes and waits for newlines until the daemon opens it. Its
        # end stays open here too: else the terminal hangs up whenever no daemon runs.
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = (ours, theirs)
        new = self.path.with_name(self.path.name + ".new")
        new.symlink_to(os.ttyname(theirs))
        new.replace(self.path)

    def unplug(self) -> None:
        """Unplug the scanner: the link is gone, and reading the device fails."""
        assert self._ends is not None, f"{self.name} is not plugged in"
        self.path.unlink()
        for end in self._ends:
            os.close(end)
        self._ends = None

    def write(self, data: bytes) -> int:
        """Send bytes; return the monotonic time in nanoseconds just before the last of them were written.

        Raises AssertionError if nobody reads them.
        """
        assert self._ends is not None, f"{self.name} is not plugged in"
        ours = self._ends[0]
        end = time.monotonic() + DEADLINE_S
        while True:
            written_ns = time.monotonic_ns()
            try:
                data = data[os.write(ours, data) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(ours, select.POLLOUT)
                poll.poll(1000)
            if not data:
                return written_ns
            assert time.monotonic() < end, f"nobody reads {self.name}"

    def send(self, *codes: str | bytes) -> int:
        """Scan each code, all in one burst; the result is that of `write`."""
        raw = [code.encode() if isinstance(code, str) else code for code in codes]
        return self.write(b"".join(code + self.terminator for code in raw))

    def close(self) -> None:
        if self._ends is not None:
            self.unplug()


def _out_of_the_way(fd: int) -> int:
    """Give a descriptor a high number, if the limit allows: paho's clients, which use select(), need the low ones."""
    try:
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 1100)
    except OSError:
        return fd
    os.close(fd)
    return high


def interleave(*streams: tuple[PtyScanner, bytes]) -> None:
    """Send the bytes of several scanners one at a time, in turn."""
    for at in range(max(len(data) for _, data in streams)):
        for scanner, data in streams:
            if at < len(data):
                scanner.write(data[at : at + 1])

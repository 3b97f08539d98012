"""A serial scanner: a pseudo-terminal behind a stable path."""

import os
import select
import time
import tty
from pathlib import Path

from harness.waiting import DEADLINE_S

__all__ = ["Scanner", "interleave"]


class Scanner:
    """Writes scans into a pseudo-terminal. `path` is a symbolic link, like /dev/serial/by-id, and survives a replug."""

    def __init__(self, path: Path, *, terminator: bytes = b"\r") -> None:
        self.path = path
        self.terminator = terminator
        self._ends: tuple[int, int] | None = None
        self.plug()

    @property
    def name(self) -> str:
        return self.path.name

    def plug(self) -> None:
        """Appear anew, with nothing left in the line from before."""
        assert self._ends is None, f"{self.name} is plugged in already"
        ours, theirs = os.openpty()
        # Raw before the daemon opens it: else the line discipline echoes and waits for newlines. Held open here
        # too: else the terminal hangs up whenever the daemon is not there.
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = (ours, theirs)
        beside = self.path.with_name(self.path.name + ".new")
        beside.symlink_to(os.ttyname(theirs))
        beside.replace(self.path)

    def unplug(self) -> None:
        """Vanish: the link is gone, reading the device fails."""
        assert self._ends is not None, f"{self.name} is not plugged in"
        self.path.unlink()
        for end in self._ends:
            os.close(end)
        self._ends = None

    def write(self, data: bytes) -> None:
        """Send bytes as they are; AssertionError if nobody takes them."""
        assert self._ends is not None, f"{self.name} is not plugged in"
        ours = self._ends[0]
        end = time.monotonic() + DEADLINE_S
        while data:
            _, writable, _ = select.select([], [ours], [], 1.0)
            if writable:
                data = data[os.write(ours, data) :]
            assert time.monotonic() < end, f"nobody reads {self.name}"

    def send(self, *codes: str | bytes) -> None:
        """Scan each code, all in one burst."""
        raw = [code.encode() if isinstance(code, str) else code for code in codes]
        self.write(b"".join(code + self.terminator for code in raw))

    def close(self) -> None:
        if self._ends is not None:
            self.unplug()


def interleave(*streams: tuple[Scanner, bytes]) -> None:
    """Send several scanners' bytes one at a time in turn, until all are sent."""
    for at in range(max(len(data) for _, data in streams)):
        for scanner, data in streams:
            if at < len(data):
                scanner.write(data[at : at + 1])

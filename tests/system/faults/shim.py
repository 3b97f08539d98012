"""Faults in the daemon's system calls, switched on and off while it runs: the test's side of shim.c."""

import mmap
import os
import shutil
import struct
import subprocess
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Instant", "Shim", "built"]

_LAYOUT = struct.Struct("=7i4xq")
_SOURCE = Path(__file__).with_name("shim.c")


class Instant(IntEnum):
    """The steps of a write at which the process can be killed; the values are those of shim.c."""

    BEFORE_WRITE = 1
    HALF_WRITTEN = 2
    WRITTEN = 3
    FLUSHED = 4


def built(directory: Path) -> Path | None:
    """Build the shim as a shared library in `directory`, and return it; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = directory / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-o", library, _SOURCE, "-ldl"], check=True)
    return library


class Shim:
    """Controls the storage and the wall clock of one daemon, which must be started with `environment`.

    Errors are numbers of `errno`, 0 for none. Only files below `root` are concerned.
    """

    def __init__(self, library: Path, control: Path, *, root: Path) -> None:
        control.write_bytes(bytes(_LAYOUT.size))
        with control.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)
        self.environment = {
            "LD_PRELOAD": str(library), "FAULTS_CONTROL": str(control), "FAULTS_ROOT": f"{os.fspath(root)}/",
        }  # fmt: skip

    def _set(self, at: int, value: int) -> None:
        struct.pack_into("=i", self._map, 4 * at, value)

    def fail(self, *, flush: int = 0, write: int = 0, opening: int = 0) -> None:
        """Make these calls fail with these errors from now on; without arguments, the storage works again."""
        for at, error in enumerate((flush, write, opening)):
            self._set(at, error)

    def hang(self) -> None:
        """Make writes, flushes and opening for writing wait until `go_on`."""
        self._set(6, 1)

    def go_on(self) -> None:
        self._set(6, 0)

    @property
    def failed(self) -> int:
        """How many calls have failed."""
        count: int = struct.unpack_from("=i", self._map, 4 * 5)[0]
        return count

    def die(self, instant: Instant, after: int = 1) -> None:
        """Kill the process at the `after`-th such step from now."""
        self._set(4, after)
        self._set(3, instant)

    def live(self) -> None:
        self._set(3, 0)

    def step_clock(self, seconds: int) -> None:
        """Move the wall clock by this much from the machine's. The monotonic clock stays as it is."""
        struct.pack_into("=q", self._map, 32, seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._map.close()

"""What /proc and /sys tell about a process and about the disk under a path."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "device_bytes", "drop_page_cache", "resident_bytes", "usage", "wait_idle"]

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_SECTOR_BYTES = 512

_IDLE_FOR_S = 1.0
_IDLE_SHARE = 0.05
_IDLE_DEADLINE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A process at one moment: processor seconds, resident bytes now and at most, bytes written, files, threads."""

    cpu_s: float
    resident: int
    peak: int
    written: int
    descriptors: int
    threads: int


def usage(pid: int) -> Usage:
    folder = Path(f"/proc/{pid}")
    return Usage(
        cpu_s=_cpu_s(pid),
        resident=resident_bytes(pid),
        peak=_field(folder / "status", "VmHWM:") * 1024,
        written=_field(folder / "io", "write_bytes:"),
        descriptors=len(list((folder / "fd").iterdir())),
        threads=len(list((folder / "task").iterdir())),
    )


def resident_bytes(pid: int) -> int:
    return _field(Path(f"/proc/{pid}/status"), "VmRSS:") * 1024


def wait_idle(pid: int) -> None:
    """Return once a process has used less than 5 % of a core for a second: what its start left to do is done.

    Raises TimeoutError.
    """
    end = time.monotonic() + _IDLE_DEADLINE_S
    while True:
        before = _cpu_s(pid)
        time.sleep(_IDLE_FOR_S)
        if _cpu_s(pid) - before < _IDLE_SHARE * _IDLE_FOR_S:
            return
        if time.monotonic() > end:
            raise TimeoutError(f"process {pid} is never idle")


def _cpu_s(pid: int) -> float:
    # utime and stime are fields 14 and 15 of proc(5); the command's name before them may hold blanks.
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) * _TICK_S


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise KeyError(f"{path} has no {name}")


def device_bytes(path: Path) -> int:
    """Return how many bytes the block device under `path` has been given since it appeared (/sys/dev/block)."""
    device = path.stat().st_dev
    statistics = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").read_text().split()
    return int(statistics[6]) * _SECTOR_BYTES


def drop_page_cache() -> bool:
    """Have the kernel forget what it caches of the disk; return false where that is not allowed."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True

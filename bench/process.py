"""What /proc tells of a process, and of the disk under a path."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "device_bytes", "drop_page_cache", "resident_bytes", "usage"]

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A process at one moment: processor seconds so far, resident bytes now and at most, written ones, open files."""

    cpu_s: float
    resident: int
    peak: int
    written: int
    descriptors: int
    threads: int


def resident_bytes(pid: int) -> int:
    return _field(Path(f"/proc/{pid}/status"), "VmRSS:") * 1024


def usage(pid: int) -> Usage:
    folder = Path(f"/proc/{pid}")
    # After the command's name, which may hold blanks: utime and stime are fields 14 and 15 of proc(5).
    stat = (folder / "stat").read_text().rpartition(")")[2].split()
    return Usage(
        cpu_s=(int(stat[11]) + int(stat[12])) * _TICK_S,
        resident=resident_bytes(pid),
        peak=_field(folder / "status", "VmHWM:") * 1024,
        written=_field(folder / "io", "write_bytes:"),
        descriptors=len(list((folder / "fd").iterdir())),
        threads=len(list((folder / "task").iterdir())),
    )


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise KeyError(f"{path} has no {name}")


def device_bytes(path: Path) -> int:
    """Bytes that the block device under `path` has taken since it is there, by /sys/dev/block."""
    device = path.stat().st_dev
    statistics = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").read_text().split()
    return int(statistics[6]) * _SECTOR_BYTES


def drop_page_cache() -> bool:
    """Have the kernel forget what it keeps of the disk; false where that is not allowed."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True

"""What the machine tells about itself: memory, temperature, under-voltage, how the last run ended."""

import json
import os
from pathlib import Path

from msgspec import Struct

__all__ = ["LastRun", "RunRecord", "memory_bytes", "temperature_c", "under_voltage"]

_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_ENDED = ("stopped", "failed")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def memory_bytes() -> int | None:
    """Resident memory of this process."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return None


def temperature_c() -> float | None:
    """Of the processor, in degrees Celsius; none where the machine does not tell."""
    try:
        return int(_TEMPERATURE.read_text("ascii")) / 1000
    except (OSError, ValueError):
        return None


def under_voltage() -> bool | None:
    """Whether a Raspberry Pi's supply is too weak now or was since boot (bits 0 and 16); none elsewhere."""
    try:
        flags = int(_THROTTLED.read_text("ascii"), 16)
    except (OSError, ValueError):
        return None
    return bool(flags & 0x10001)


class LastRun(Struct, frozen=True, kw_only=True):
    """`cause` is how the run before this one ended: `none` (the first), `stopped`, `failed` (it gave up: a bug, a
    device missing at its start, a damaged journal), `killed` in the same boot, `power` (the machine went down under
    it). `restarts` counts starts since the state directory was made."""

    cause: str
    restarts: int


class RunRecord:
    """A small file that says whether the run in progress was ended in order. Nothing depends on it but `health`."""

    def __init__(self, path: Path, boot_id: str) -> None:
        self._path = path
        self._boot_id = boot_id

    def begin(self) -> LastRun:
        """Read how the last run ended, and note that one has begun. A disk that cannot be written is no matter."""
        try:
            last = json.loads(self._path.read_text("utf-8"))
            starts, boot_id, ended = int(last["starts"]), str(last["boot_id"]), last["ended"]
        except (OSError, ValueError, KeyError, TypeError):
            self._write(1, ended=None)
            return LastRun(cause="none", restarts=0)
        self._write(starts + 1, ended=None)
        cause = ended if ended in _ENDED else ("killed" if boot_id == self._boot_id else "power")
        return LastRun(cause=cause, restarts=starts)

    def end(self, *, failed: bool) -> None:
        """Note that the run ended by itself: as it was told to, or because it gave up."""
        try:
            starts = int(json.loads(self._path.read_text("utf-8"))["starts"])
        except (OSError, ValueError, KeyError, TypeError):
            starts = 1
        self._write(starts, ended="failed" if failed else "stopped")

    def _write(self, starts: int, *, ended: str | None) -> None:
        text = json.dumps({"starts": starts, "boot_id": self._boot_id, "ended": ended})
        temporary = self._path.with_suffix(".tmp")
        try:
            temporary.write_text(text, "utf-8")
            temporary.replace(self._path)
        except OSError:
            return

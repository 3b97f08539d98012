"""Clocks: monotonic for durations, UTC for records, and whether UTC can be believed.

A kiosk has no clock battery: until a time server answers, UTC may be years off. Nothing is decided by it.
"""

import os
import time
from pathlib import Path
from typing import Protocol

__all__ = ["Clock", "FakeClock", "SystemClock"]

BOOT_ID_PATH = Path("/proc/sys/kernel/random/boot_id")
SYNCED_PATH = Path("/run/systemd/timesync/synchronized")
"""Touched by systemd-timesyncd once the clock has been set from a time server in this boot."""

_SYNCED_FOR_S = 10.0
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


class Clock(Protocol):
    """What is handed to whoever needs the time. Every method is cheap and may be called from any thread."""

    def monotonic(self) -> float:
        """Seconds since some fixed point of this boot; never goes back."""
        ...

    def monotonic_ns(self) -> int:
        """The same in nanoseconds."""
        ...

    def utc_text(self) -> str:
        """The time of day, UTC, as `2026-11-22T17:53:01.123Z`."""
        ...

    def synced(self) -> bool:
        """Whether the time of day comes from a time server; up to ten seconds old."""
        ...

    def boot_id(self) -> str:
        """The kernel's id of this boot, a UUID in lower case; the same for the life of the process."""
        ...


def _text_of_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _random_boot_id() -> str:
    import uuid

    return str(uuid.uuid4())


def _kernel_synced() -> bool:
    """Whether the kernel's clock is disciplined, whoever does it (chrony, ntpd, timesyncd, PTP)."""
    import ctypes

    # struct timex is 208 bytes with 64-bit longs, 128 with 32; all zero asks without setting anything.
    timex = ctypes.create_string_buffer(512)
    try:
        state = int(ctypes.CDLL(None).adjtimex(timex))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


class SystemClock:
    """The machine's clocks. Where the kernel tells no boot id, a random one stands for this process."""

    def __init__(self, *, boot_id_path: Path = BOOT_ID_PATH, synced_path: Path = SYNCED_PATH) -> None:
        try:
            self._boot_id = boot_id_path.read_text("ascii").strip() or _random_boot_id()
        except (OSError, ValueError):
            self._boot_id = _random_boot_id()
        self._synced_path = os.fspath(synced_path)
        # Each pair is replaced as a whole: threads see the old one or the new one.
        self._second = (0, _text_of_second(0))
        self._synced = (time.monotonic() + _SYNCED_FOR_S, self._ask_synced())

    monotonic = staticmethod(time.monotonic)
    monotonic_ns = staticmethod(time.monotonic_ns)

    def utc_text(self) -> str:
        second, ms = divmod(time.time_ns() // 1_000_000, 1000)
        cached, text = self._second
        if cached != second:
            text = _text_of_second(second)
            self._second = (second, text)
        return f"{text}.{ms:03d}Z"

    def synced(self) -> bool:
        until, synced = self._synced
        now = time.monotonic()
        if now >= until:
            synced = self._ask_synced()
            self._synced = (now + _SYNCED_FOR_S, synced)
        return synced

    def boot_id(self) -> str:
        return self._boot_id

    def _ask_synced(self) -> bool:
        return os.path.exists(self._synced_path) or _kernel_synced()


class FakeClock:
    """A clock that stands still until it is told to go on; for tests and rehearsals."""

    def __init__(
        self,
        *,
        monotonic_s: float = 1000.0,
        utc_ms: int = 1_795_370_000_000,
        synced: bool = True,
        boot_id: str = "7d1e40aa-0000-4000-8000-000000000000",
    ) -> None:
        self._monotonic_ns = round(monotonic_s * 1e9)
        self._utc_ms = utc_ms
        self._synced = synced
        self._boot_id = boot_id

    def monotonic(self) -> float:
        return self._monotonic_ns / 1e9

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def utc_text(self) -> str:
        second, ms = divmod(self._utc_ms, 1000)
        return f"{_text_of_second(second)}.{ms:03d}Z"

    def synced(self) -> bool:
        return self._synced

    def boot_id(self) -> str:
        return self._boot_id

    def advance(self, seconds: float) -> None:
        """Both clocks go on by `seconds` (0 or more)."""
        if seconds < 0:
            raise ValueError("a monotonic clock never goes back")
        self._monotonic_ns += round(seconds * 1e9)
        self._utc_ms += round(seconds * 1e3)

    def set_utc(self, utc_ms: int, *, synced: bool) -> None:
        """The time of day jumps, as when a time server answers; durations are untouched."""
        self._utc_ms = utc_ms
        self._synced = synced

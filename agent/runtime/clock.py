"""Clocks: monotonic for durations, UTC for records, and whether UTC can be trusted.

A kiosk has no clock battery: until a time server answers, UTC may be years off. No decision depends on it
(`faults.md#wrong-clock`).
"""

import os
import time
from pathlib import Path
from typing import Protocol

__all__ = ["Clock", "FakeClock", "SystemClock"]

BOOT_ID_PATH = Path("/proc/sys/kernel/random/boot_id")
SYNCED_PATH = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd creates it once it has set the clock from a time server."""

_SYNCED_FOR_S = 10.0
_TIME_ERROR = 5  # TIME_ERROR of adjtimex(2): the clock is not synchronised


class Clock(Protocol):
    """What code that needs the time gets. All methods are cheap and thread-safe."""

    def monotonic(self) -> float:
        """Return seconds since a fixed point of this boot; never goes back."""
        ...

    def monotonic_ns(self) -> int:
        """Return the same in nanoseconds."""
        ...

    def utc_text(self) -> str:
        """Return the time of day in UTC, like `2026-11-22T17:53:01.123Z`."""
        ...

    def synced(self) -> bool:
        """Return whether the time of day comes from a time server. The answer may be ten seconds old."""
        ...

    def boot_id(self) -> str:
        """Return the kernel's id of this boot, a lower-case UUID. Constant during the process."""
        ...


def _text_of_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _random_boot_id() -> str:
    import uuid

    return str(uuid.uuid4())


def _kernel_synced() -> bool:
    """Return whether the kernel's clock is synchronised, by any program (chrony, ntpd, timesyncd, PTP)."""
    import ctypes

    # struct timex has 208 bytes with 64-bit longs, 128 with 32. All zeros: read, set nothing.
    timex = ctypes.create_string_buffer(512)
    try:
        state = int(ctypes.CDLL(None).adjtimex(timex))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


class SystemClock:
    """The machine's clocks. If the kernel gives no boot id, a random one is used."""

    def __init__(self, *, boot_id_path: Path = BOOT_ID_PATH, synced_path: Path = SYNCED_PATH) -> None:
        try:
            self._boot_id = boot_id_path.read_text("ascii").strip() or _random_boot_id()
        except (OSError, ValueError):
            self._boot_id = _random_boot_id()
        self._synced_path = os.fspath(synced_path)
        # Each tuple is replaced as a whole, so other threads see the old one or the new one.
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
    """A clock that moves only when it is told to. For tests."""

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
        """Move both clocks forward by `seconds`. Raises ValueError if that is negative."""
        if seconds < 0:
            raise ValueError("a monotonic clock never goes back")
        self._monotonic_ns += round(seconds * 1e9)
        self._utc_ms += round(seconds * 1e3)

    def set_utc(self, utc_ms: int, *, synced: bool) -> None:
        """Let the time of day jump, as when a time server answers. Durations are not affected."""
        self._utc_ms = utc_ms
        self._synced = synced

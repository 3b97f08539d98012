"""What the operating system reports about this machine and process."""

import os
from pathlib import Path

__all__ = ["memory_bytes", "temperature_c", "under_voltage"]

_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_UNDER_VOLTAGE = 1 << 0 | 1 << 16
"""Now, and since the boot."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def memory_bytes() -> int | None:
    """Return the resident memory of this process."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return None


def temperature_c() -> float | None:
    """Return the processor's temperature in degrees Celsius; None where the machine has no sensor."""
    try:
        return int(_TEMPERATURE.read_text("ascii")) / 1000
    except (OSError, ValueError):
        return None


def under_voltage() -> bool | None:
    """Return whether a Raspberry Pi's power supply is too weak, or was since the boot; None on other machines."""
    try:
        flags = int(_THROTTLED.read_text("ascii"), 16)
    except (OSError, ValueError):
        return None
    return bool(flags & _UNDER_VOLTAGE)

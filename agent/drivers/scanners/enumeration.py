"""Everything that is plugged in and may be a scanner, of whatever kind."""

from agent.drivers.scanners.devices import DeviceNode, keyboards
from agent.drivers.scanners.serial import ports

__all__ = ["plugged_in"]


def plugged_in() -> list[DeviceNode]:
    """Keyboards, then serial ports; empty where nothing is, or nothing may be seen."""
    return [*keyboards(), *ports()]

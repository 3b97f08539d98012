"""List everything that is plugged in and may be a scanner, of all kinds."""

from agent.drivers.scanners.device_nodes import DeviceNode, keyboards
from agent.drivers.scanners.serial import ports

__all__ = ["plugged_in"]


def plugged_in() -> list[DeviceNode]:
    """Return the keyboards, then the serial ports; empty if there are none or none can be listed."""
    return [*keyboards(), *ports()]

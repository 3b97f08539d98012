"""`kiosk-agent` with keyboard wedges that are named pipes: run as `python -m tests.field.wedge_agent run --config …`.

The folder in FIELD_NODES has the event nodes: `event7-0003` is one of the scanner with product number 3. All else is
the program as it is.
"""

import os
import sys
from pathlib import Path
from typing import Any

import evdev

from agent.drivers.scanners import device_nodes
from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode

_FOLDER = Path(os.environ.get("FIELD_NODES", "/nonexistent"))


class _PipeDevice:
    """What the driver uses of `evdev.InputDevice`, over a named pipe."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def grab(self) -> None:
        pass

    def ungrab(self) -> None:
        pass

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _node(path: Path) -> DeviceNode:
    product = int(path.name.rpartition("-")[2], 16)
    return DeviceNode(
        kind=DeviceKind.EVDEV, name="Scanner", path=str(path), node=str(path),
        vendor=0x0C2E, product=product, serial=None, usb_port=f"usb-0:{product}",
    )  # fmt: skip


def _event_nodes(*_: Any) -> list[DeviceNode]:
    return [_node(path) for path in sorted(_FOLDER.glob("event*-*"))]


# Before the driver is imported: its arguments have these as defaults.
evdev.InputDevice = _PipeDevice  # type: ignore[misc, assignment]
device_nodes.event_nodes = _event_nodes  # type: ignore[assignment]


if __name__ == "__main__":
    from agent.cli import main

    sys.exit(main())

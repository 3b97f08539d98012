"""The device nodes that may be scanners, as records, and the keyboards among them. Nothing is opened for it.

Keyboards are read from sysfs, so that one which is no scanner of ours is never opened, and no rights are needed.
"""

import os
import struct
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["DeviceKind", "DeviceNode", "device_of", "event_nodes", "keyboards", "links_to", "stable_path"]

SYS_INPUT = "/sys/class/input"
DEV_INPUT = "/dev/input"

_LONG_BITS = 8 * struct.calcsize("@l")
_EV_KEY = 0x01
_KEYS_OF_A_KEYBOARD = (2, 11, 28)  # 1, 0, Enter: what a keyboard wedge needs at the least


class DeviceKind(StrEnum):
    EVDEV = "evdev"
    SERIAL = "serial"


class DeviceNode(Struct, frozen=True, kw_only=True):
    """One device node that may be a scanner.

    `path` is what to configure: a link that stays the same, by-id or else by-path, or the node itself. `usb_port` is
    the place it is plugged into: of evdev the start of the kernel's `phys`, of serial the bus position (`1-1.2`).
    """

    kind: DeviceKind
    name: str
    path: str
    node: str
    vendor: int | None
    product: int | None
    serial: str | None
    usb_port: str | None


def keyboards(sys_input: str = SYS_INPUT, dev_input: str = DEV_INPUT) -> list[DeviceNode]:
    """Every event node with the keys of a keyboard, by node number; one device may have several."""
    nodes = event_nodes(sys_input, dev_input)
    return [replace(one, path=stable_path(one.node, links_to(one.node, dev_input))) for one in nodes]


def event_nodes(sys_input: str = SYS_INPUT, dev_input: str = DEV_INPUT) -> list[DeviceNode]:
    """The same with the node itself as `path`: cheap, for those who look again and again between scans."""
    try:
        entries = [entry for entry in os.listdir(sys_input) if entry.removeprefix("event").isdigit()]
    except OSError:
        return []
    found = []
    for entry in sorted(entries, key=lambda entry: int(entry.removeprefix("event"))):
        try:
            one = _look_at(f"{sys_input}/{entry}", f"{dev_input}/{entry}")
        except (OSError, ValueError):
            continue  # unplugged while we looked
        if one is not None:
            found.append(one)
    return found


def device_of(node: DeviceNode) -> tuple[str | int | None, ...]:
    """What the nodes of one device have in common; two devices of one kind differ in their port."""
    return (node.kind, node.usb_port, node.vendor, node.product)


def links_to(node: str, folder: str) -> list[str]:
    """The links below `folder`/by-id and `folder`/by-path that lead to a device node, by-id first."""
    target = os.path.realpath(node)
    links = [link for kind in ("by-id", "by-path") for link in _entries(f"{folder}/{kind}")]
    return [link for link in links if os.path.realpath(link) == target]


def stable_path(node: str, links: list[str]) -> str:
    """The first of the links, or the node where there are none."""
    return links[0] if links else node


def _look_at(entry: str, node: str) -> DeviceNode | None:
    if not os.path.islink(entry):
        return _record(Path(entry, "device"), node)
    # The kernel's link leads to …/input17/event3, and gives the number of an input device to no other one.
    return _remembered(f"{os.path.dirname(entry)}/{os.readlink(entry)}", node)


@lru_cache(maxsize=256)
def _remembered(entry: str, node: str) -> DeviceNode | None:
    return _record(Path(entry, "device"), node)


def _record(device: Path, node: str) -> DeviceNode | None:
    if not _types_digits(device):
        return None
    phys = _text(device / "phys")
    return DeviceNode(
        kind=DeviceKind.EVDEV,
        name=_text(device / "name") or node,
        path=node,
        node=node,
        vendor=int(_text(device / "id/vendor") or "0", 16) or None,
        product=int(_text(device / "id/product") or "0", 16) or None,
        serial=_text(device / "uniq") or None,
        usb_port=phys.split("/")[0] or None,
    )


def _types_digits(device: Path) -> bool:
    kinds, keys = _bits(device / "capabilities/ev"), _bits(device / "capabilities/key")
    return bool(kinds >> _EV_KEY & 1) and all(keys >> code & 1 for code in _KEYS_OF_A_KEYBOARD)


def _bits(path: Path) -> int:
    """A bit map as sysfs writes it: hexadecimal words as long as this process's `long`, the highest first."""
    bits = 0
    for word in _text(path).split():
        bits = bits << _LONG_BITS | int(word, 16)
    return bits


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace").strip() if path.exists() else ""


def _entries(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        yield f"{folder}/{name}"

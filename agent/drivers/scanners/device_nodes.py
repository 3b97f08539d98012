"""List the device nodes that may be scanners, and the keyboards among them. Opens nothing.

Keyboards are found in sysfs, so that no foreign keyboard is opened and no rights are needed.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

__all__ = [
    "DeviceKind",
    "DeviceNode",
    "KeptListing",
    "device_of",
    "event_nodes",
    "keyboards",
    "links_to",
    "nodes_at",
    "stable_path",
]

SYS_INPUT = "/sys/class/input"
DEV_INPUT = "/dev/input"

_KEEP_S = 0.2
"""Together with the half second between two looks, a new node is found within a second."""

_LONG_BITS = 8 * struct.calcsize("@l")
_EV_KEY = 0x01
_KEYS_OF_A_KEYBOARD = (2, 11, 28)  # 1, 0 and Enter: the least that a keyboard wedge has


class DeviceKind(StrEnum):
    EVDEV = "evdev"
    SERIAL = "serial"


class DeviceNode(Struct, frozen=True, kw_only=True):
    """One device node that may be a scanner.

    `path` is the path to configure: a stable link (by-id, else by-path), or the node itself. `usb_port` is the USB
    port: for evdev the start of the kernel's `phys`, for serial the bus position (`1-1.2`).
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
    """Return every event node with the keys of a keyboard, by node number. One device may have several."""
    nodes = event_nodes(sys_input, dev_input)
    return [replace(one, path=stable_path(one.node, links_to(one.node, dev_input))) for one in nodes]


def event_nodes(sys_input: str = SYS_INPUT, dev_input: str = DEV_INPUT) -> list[DeviceNode]:
    """Return the same with the node itself as `path`. Cheap enough to be called between scans."""
    try:
        entries = [entry for entry in os.listdir(sys_input) if entry.removeprefix("event").isdigit()]
    except OSError:
        return []
    found = []
    for entry in sorted(entries, key=lambda entry: int(entry.removeprefix("event"))):
        try:
            one = _look_at(f"{sys_input}/{entry}", f"{dev_input}/{entry}")
        except (OSError, ValueError):
            continue  # unplugged in the meantime
        if one is not None:
            found.append(one)
    return found


class KeptListing:
    """A listing of the event nodes that many scanners share. It is refreshed at most every `_KEEP_S`.

    Returns the same object as before while nothing has changed. With 200 scanners that look every half second, each
    with a listing of its own, a kiosk would do little else.
    """

    def __init__(self, list_nodes: Callable[[], Sequence[DeviceNode]] = event_nodes) -> None:
        self._list_nodes = list_nodes
        self._kept: Sequence[DeviceNode] = ()
        self._until = float("-inf")

    def __call__(self) -> Sequence[DeviceNode]:
        if monotonic() >= self._until:
            nodes = tuple(self._list_nodes())
            if nodes != self._kept:
                self._kept = nodes
            self._until = monotonic() + _KEEP_S
        return self._kept


def nodes_at(usb_port: str, dev_input: str = DEV_INPUT) -> frozenset[str]:
    """Return the event nodes whose by-path link is for that port: `…-usb-0:1.2:1.0-event-kbd` is for `…-usb-0:1.2`."""
    links = _entries(f"{dev_input}/by-path")
    names = (f"{dev_input}/by-path/{usb_port}:", f"{dev_input}/by-path/{usb_port}-event")
    return frozenset(os.path.realpath(link) for link in links if link.startswith(names))


def device_of(node: DeviceNode) -> tuple[str | int | None, ...]:
    """Return what all nodes of one device have in common. Two devices of one model differ in their port."""
    return (node.kind, node.usb_port, node.vendor, node.product)


def links_to(node: str, folder: str) -> list[str]:
    """Return the links in `folder`/by-id and `folder`/by-path that lead to a device node, by-id first."""
    target = os.path.realpath(node)
    links = [link for kind in ("by-id", "by-path") for link in _entries(f"{folder}/{kind}")]
    return [link for link in links if os.path.realpath(link) == target]


def stable_path(node: str, links: list[str]) -> str:
    """Return the first link, or the node if there is none."""
    return links[0] if links else node


def _look_at(entry: str, node: str) -> DeviceNode | None:
    if not os.path.islink(entry):
        return _record(Path(entry, "device"), node)
    # The link leads to …/input17/event3. The kernel never gives the number of an input device to another one.
    return _remembered(f"{os.path.dirname(entry)}/{os.readlink(entry)}", node)


@lru_cache(maxsize=4096)
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
    """Read a bit map from sysfs: hexadecimal words of the size of a C `long`, the highest first."""
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

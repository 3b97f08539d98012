"""Scanners that act as a keyboard (keyboard wedges), read from the kernel's event nodes.

The only file that imports python-evdev, which opens and grabs the nodes. `os.read` reads them in the event loop.
(`settings.md#keyboard-scanner`)
"""

import contextlib
import errno
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import evdev
from msgspec import Struct

from agent.drivers.device_access import explained
from agent.drivers.scanners.device_nodes import DEV_INPUT, DeviceNode, KeptListing, device_of, event_nodes, nodes_at
from agent.drivers.scanners.framing import Framer, TextSettings
from agent.drivers.scanners.keymaps import LAYOUTS, Keyboard
from agent.drivers.scanners.scanner import DeviceScanner
from agent.errors import DeviceError

__all__ = ["EvdevScanner", "EventNode", "KeyboardMatch", "LooseNode", "is_grabbed", "key_events", "overhear"]

_EVENT = struct.Struct("@llHHi")  # struct input_event: seconds, microseconds, type, code, value
_EVENTS_AT_ONCE = 64
_PRESENT = KeptListing(event_nodes)
_EV_SYN, _EV_KEY = 0, 1
_SYN_REPORT, _SYN_DROPPED = 0, 3


class KeyboardMatch(Struct, frozen=True, kw_only=True):
    """Which keyboard is the scanner. Fields that are None do not matter.

    `device` is a path of its node, best a by-id link. `vendor`, `product` and `serial` are its USB ids and serial
    number. `usb_port` is its `phys` up to the slash, or a by-path name up to `-event`.
    """

    device: str | None = None
    vendor: int | None = None
    product: int | None = None
    serial: str | None = None
    usb_port: str | None = None

    def __str__(self) -> str:
        parts = (
            self.device,
            f"vendor {self.vendor:04x}" if self.vendor is not None else None,
            f"product {self.product:04x}" if self.product is not None else None,
            f"serial {self.serial}" if self.serial is not None else None,
            f"usb_port {self.usb_port}" if self.usb_port is not None else None,
        )
        return " ".join(part for part in parts if part is not None)

    def nodes(self, present: Sequence[DeviceNode]) -> list[str]:
        """Return the event nodes of the matching device. One device may have several.

        Raises DeviceError if no device matches or several do.
        """
        matching = self.matching(present)
        if not matching:
            raise DeviceError(f"no keyboard {self} is plugged in")
        first = matching[0]
        if any(device_of(node) != device_of(first) for node in matching):
            names = ", ".join(f"{node.name} at {node.path}" for node in matching)
            raise DeviceError(f"several keyboards are {self}: {names}; tell them apart by usb_port")
        if first.usb_port is None:
            return [node.node for node in matching]
        return [node.node for node in present if device_of(node) == device_of(first)]

    def matching(self, present: Sequence[DeviceNode]) -> list[DeviceNode]:
        """Return the nodes that match by themselves, perhaps of several devices."""
        paths = () if self.device is None else (self.device, os.path.realpath(self.device))
        at_port = frozenset() if self.usb_port is None else nodes_at(self.usb_port, DEV_INPUT)
        return [
            node
            for node in present
            if (self.device is None or node.node in paths)
            and (self.vendor is None or self.vendor == node.vendor)
            and (self.product is None or self.product == node.product)
            and (self.serial is None or self.serial == node.serial)
            and (self.usb_port is None or self.usb_port == node.usb_port or node.node in at_port)
        ]


class EventNode(Protocol):
    """An open event node: the part of `evdev.InputDevice` that is used here."""

    @property
    def fd(self) -> int: ...
    def grab(self) -> None: ...
    def close(self) -> None: ...


class LooseNode(EventNode, Protocol):
    """An event node whose grab can be released without closing it."""

    def ungrab(self) -> None: ...


class EvdevScanner(DeviceScanner):
    """The keyboard that `match` finds, set to the country of `layout` (a key of `LAYOUTS`).

    Its nodes are grabbed, so that it types nowhere else. Every terminator but Tab means the Enter key. `gs_key` is the
    code of a key that it presses for GS. The encoding of `text` is always UTF-8: keys type characters.
    """

    def __init__(
        self,
        *,
        name: str,
        match: KeyboardMatch,
        layout: str = "us",
        terminator: bytes = b"\r",
        text: TextSettings = TextSettings(),  # noqa: B008 - frozen
        gs_key: int | None = None,
        present: Callable[[], Sequence[DeviceNode]] = _PRESENT,
        open_node: Callable[[str], EventNode] = evdev.InputDevice,
    ) -> None:
        super().__init__(
            name=name,
            description=f"evdev {match}",
            framer=Framer(b"\t" if terminator == b"\t" else b"\r", text=text),
        )
        self._match = match
        self._present = present
        self._open_node = open_node
        self._keyboard = Keyboard(LAYOUTS[layout], gs_key=gs_key)
        self._nodes: dict[str, EventNode] = {}
        self._first: DeviceNode | None = None
        self._looked_at: Sequence[DeviceNode] = ()
        self._is_stale = False
        self._dropping: set[int] = set()

    def _open(self) -> tuple[Sequence[int], str]:
        present = self._present()
        paths = self._match.nodes(present)
        self._keyboard.reset()
        self._is_stale = False
        try:
            for path in paths:
                self._grab(path)
        except DeviceError:
            self._shut()
            raise
        self._spoil_if_stale()
        self._first = next(node for node in present if node.node == paths[0])
        self._looked_at = present
        return [node.fd for node in self._nodes.values()], ", ".join(self._nodes)

    def _open_more(self) -> tuple[Sequence[int], str] | None:
        """Open the nodes of the device that have appeared since (`faults.md#scanner-with-several-event-nodes`)."""
        present = self._present()
        if present is self._looked_at or self._first is None:
            return None
        near = present if self._first.usb_port is not None else self._match.matching(present)
        device = device_of(self._first)
        new = [node.node for node in near if device_of(node) == device and node.node not in self._nodes]
        self._is_stale = False
        fds, refused = [], []
        for path in new:
            try:
                fds.append(self._grab(path))
            except DeviceError as exc:
                refused.append(str(exc))
        self._spoil_if_stale()
        if not refused:
            self._looked_at = present  # else try again: a new node gets its permissions a moment later
        return (fds, "; ".join([", ".join(self._nodes), *refused])) if new else None

    def _grab(self, path: str) -> int:
        """Open and grab a node, and discard what was typed before; return its descriptor. Raises DeviceError."""
        try:
            node = self._open_node(path)
        except OSError as exc:
            raise DeviceError(f"{path} cannot be opened: {_why(path, exc)}") from exc
        try:
            node.grab()
            self._is_stale = _drain(node.fd) or self._is_stale
        except OSError as exc:
            _close(node)
            raise DeviceError(f"{path} cannot be opened: {_why(path, exc)}") from exc
        self._nodes[path] = node
        return node.fd

    def _spoil_if_stale(self) -> None:
        if self._is_stale and self._loop is not None:
            self._spoil()  # a scan was being typed while we opened a node: its beginning is lost

    def _shut(self) -> None:
        nodes, self._nodes = self._nodes, {}
        self._first = None
        self._dropping.clear()
        for node in nodes.values():
            _close(node)

    def _decode(self, fd: int, raw: bytes) -> None:
        typed = b""
        for kind, code, value in _events(raw):
            if kind == _EV_SYN and code == _SYN_DROPPED:
                self._take(typed)
                typed = b""
                self._dropping.add(fd)
                self._keyboard.reset()
                self._spoil()
            elif fd in self._dropping:
                if kind == _EV_SYN and code == _SYN_REPORT:
                    self._dropping.remove(fd)
            elif kind == _EV_KEY:
                typed += self._keyboard.press(code, value)
        self._take(typed)


def overhear(path: str, open_node: Callable[[str], LooseNode] = evdev.InputDevice) -> EventNode:
    """Open an event node whose keys still reach other programs. Raises DeviceError, also if it is grabbed.

    For a device that may turn out to be an ordinary keyboard: its user must still be able to stop this program.
    """
    try:
        node = open_node(path)
    except OSError as exc:
        raise DeviceError(f"{path} cannot be opened: {_why(path, exc)}") from exc
    try:
        node.grab()
        node.ungrab()
    except OSError as exc:
        node.close()
        why = "another program has grabbed it" if exc.errno == errno.EBUSY else _why(path, exc)
        raise DeviceError(f"{path} cannot be read: {why}") from exc
    return node


def key_events(raw: bytes) -> Iterator[tuple[int, int]]:
    """Yield the (key code, value) pairs in bytes read from an event node."""
    return ((code, value) for kind, code, value in _events(raw) if kind == _EV_KEY)


def _events(raw: bytes) -> Iterator[tuple[int, int, int]]:
    whole = len(raw) - len(raw) % _EVENT.size  # the kernel returns whole events only
    return ((kind, code, value) for _, _, kind, code, value in _EVENT.iter_unpack(raw[:whole]))


def _drain(fd: int) -> bool:
    """Discard what was typed before the grab; return whether a key was pressed."""
    stale = False
    while True:
        try:
            raw = os.read(fd, _EVENT.size * _EVENTS_AT_ONCE)
        except BlockingIOError:
            return stale
        if not raw:
            return stale
        stale = stale or any(value == 1 for _, value in key_events(raw))


def _close(node: EventNode) -> None:
    with contextlib.suppress(OSError):  # the descriptor of a vanished device is closed nevertheless
        node.close()


def is_grabbed(path: str, open_node: Callable[[str], LooseNode] = evdev.InputDevice) -> bool:
    """Return whether another program has grabbed an event node: else its keys reach the console.

    Raises DeviceError if this account may not open it.
    """
    try:
        node = open_node(path)
    except OSError as exc:
        raise DeviceError(f"{path} cannot be opened: {_why(path, exc)}") from exc
    try:
        node.grab()
        node.ungrab()
    except OSError as exc:
        return exc.errno == errno.EBUSY
    finally:
        _close(node)
    return False


def _why(path: str, exc: OSError) -> str:
    return explained(path, exc.errno, exc.strerror or str(exc))

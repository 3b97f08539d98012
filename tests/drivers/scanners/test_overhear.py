"""Listening to an event node that may be nobody's scanner."""

import errno

import pytest

from agent.drivers.scanners.evdev import overhear
from agent.errors import DeviceError


class Node:
    """An event node that counts who holds it."""

    fd = 7

    def __init__(self, refuses: OSError | None = None) -> None:
        self._refuses = refuses
        self.grabbed = False
        self.closed = False

    def grab(self) -> None:
        if self._refuses is not None:
            raise self._refuses
        self.grabbed = True

    def ungrab(self) -> None:
        self.grabbed = False

    def close(self) -> None:
        self.closed = True


def test_its_keys_go_on_to_everybody_else() -> None:
    node = Node()
    assert overhear("/dev/input/event0", lambda _: node) is node
    assert not node.grabbed
    assert not node.closed


def test_a_node_that_another_has_grabbed_is_refused_and_closed() -> None:
    node = Node(OSError(errno.EBUSY, "Device or resource busy"))
    with pytest.raises(DeviceError, match=r"event0 cannot be read: another program has grabbed it"):
        overhear("/dev/input/event0", lambda _: node)
    assert node.closed


def test_a_node_that_may_not_be_opened_is_refused() -> None:
    def denied(path: str) -> Node:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    with pytest.raises(DeviceError, match=r"event0 cannot be opened: Permission denied"):
        overhear("/dev/input/event0", denied)

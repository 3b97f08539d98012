"""Listing everything that is plugged in."""

import pytest

from agent.drivers.scanners import enumeration
from tests.drivers.benches import keyboard


def test_keyboards_come_before_serial_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """(`commands.md#scanners`)"""
    monkeypatch.setattr(enumeration, "keyboards", lambda: [keyboard(3), keyboard(4)])
    monkeypatch.setattr(enumeration, "ports", lambda: [keyboard(9)])
    assert [node.node for node in enumeration.plugged_in()] == [f"/dev/input/event{n}" for n in (3, 4, 9)]

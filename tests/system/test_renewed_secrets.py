"""A password that is changed while the daemon runs (`settings.md#renewed-secrets`)."""

from pathlib import Path

import pytest

from harness.waiting import wait_for
from harness.world import World, world_of

OLD = {"test": "sees everything", "dock-3": "packing bench"}
NEW = "another secret"


def error_of(world: World) -> str:
    return str(world.kiosk.status()["health"]["uplink"]["error"])


@pytest.mark.parametrize("protocol", [5, 311])
@pytest.mark.parametrize("first", ["broker", "file"])
def test_a_changed_password_needs_no_restart(tmp_path: Path, protocol: int, first: str) -> None:
    """Rule: settings.md#renewed-secrets."""
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(f"{OLD['dock-3']}\n")
    mqtt = {"username": "dock-3", "password_file": str(password), "protocol": protocol}
    with world_of(tmp_path, mqtt=mqtt, broker_options={"users": OLD}, user="test") as world:
        pid, seen = world.kiosk.pid, len(world.centre.statuses)
        order, units = world.simple(2)
        station = world.opened(order)
        if first == "file":
            password.write_text(f"{NEW}\n")
            assert world.kiosk.status()["health"]["uplink"]["online"], "a connection is not given up for a new secret"
        world.broker.set_password("dock-3", NEW)
        if first == "broker":
            wait_for(lambda: "uthori" in error_of(world), "the old password to be refused")
            assert station.scan(units[0]).signal == "ok"
            password.write_text(f"{NEW}\n")
        world.centre.wait_status("online", after=seen)
        assert world.kiosk.pid == pid
        assert NEW not in world.kiosk.output()
        if protocol == 5:  # under MQTT 3.1.1 events have no properties, which the consumer looks for
            station.scan_all(*units)
            world.delivered()

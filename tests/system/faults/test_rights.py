"""The broker forbids a topic: its events wait, others pass, and all are delivered once it is allowed."""

from pathlib import Path
from typing import Any

from harness.codes import command
from harness.indicator import Signalled
from harness.waiting import wait_for
from harness.world import OK, world_of

NO_BOXES = """
user centre
topic readwrite #

user dock-3
topic read #
topic write kiosk/v1/rtm1/agent/dock-3/status
topic write kiosk/v1/rtm1/agent/dock-3/health
topic write kiosk/v1/rtm1/agent/dock-3/station/#
topic write kiosk/v1/rtm1/agent/dock-3/response/#
topic write kiosk/v1/rtm1/agent/dock-3/event/operator
topic write kiosk/v1/rtm1/agent/dock-3/event/order
topic write kiosk/v1/rtm1/agent/dock-3/event/scan
"""
ALL = f"{NO_BOXES}topic write kiosk/v1/rtm1/agent/dock-3/event/box\n"


def test_forbidden_topic_dams_up_nothing_else(tmp_path: Path) -> None:
    """Rule: mqtt.md#refused-publish."""
    password = tmp_path / "password"
    password.write_text("packing bench")
    with world_of(
        tmp_path,
        user="centre",
        uplink={"ack_timeout_s": 1},
        mqtt={"username": "dock-3", "password_file": str(password)},
        broker_options={"users": {"centre": "central", "dock-3": "packing bench"}, "acl": NO_BOXES},
    ) as world:
        order, units = world.simple(3)
        station = world.opened(order)
        assert station.scan_all(units[0], command("SAVE"), command("SAVE"), units[1]) == [
            OK, Signalled("boxed", None), Signalled("saved", None), OK,
        ]  # fmt: skip
        world.consumer.wait("scan.accepted", where=lambda event: event.data.unit.id == units[1])
        assert not world.consumer.since(0, "box.created", "box.confirmed")

        def uplink() -> dict[str, Any]:
            found: dict[str, Any] = world.centre.request("health")["health"]["uplink"]
            return found

        wait_for(lambda: uplink()["refused"] == 2, "two refused events in health")
        assert "not authorized" in uplink()["last_refusal"].lower()
        assert uplink()["backlog"] >= 2

        world.broker.allow(ALL)
        assert station.scan(units[2]).signal == "order_done"
        assert world.delivered() == world.in_sequence()
        assert [event.kind for event in world.consumer.since(0, "box.created", "box.confirmed")] == [
            "box.created", "box.confirmed",
        ]  # fmt: skip

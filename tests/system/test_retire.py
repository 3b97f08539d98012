"""`kiosk-agent retire`: a kiosk leaves nothing behind at the broker (`commands.md#retire`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.centre import retained
from harness.kiosk import REPOSITORY
from harness.waiting import wait_for
from harness.world import World, world_of

USERS = {"test": "sees everything", "dock-3": "packing bench"}
ACL = (REPOSITORY / "deploy/acl/mosquitto.acl").read_text() + "\nuser test\ntopic readwrite #\n"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    """A world whose daemon the test starts and stops itself."""
    with world_of(tmp_path, started=False) as found:
        yield found


def nothing_waits(world: World) -> bool:
    backlog: int = world.centre.request("health")["health"]["uplink"]["backlog"]
    return backlog == 0


def test_retire_refuses_while_events_wait_then_clears(own: World) -> None:
    """Rule: commands.md#retire."""
    own.kiosk.start()
    own.centre.wait_status("online")
    own.consumer.acknowledging = False
    own.centre.settle()
    order, units = own.simple(1)
    own.opened(order).scan(units[0])
    assert own.kiosk.stop() == 0
    assert own.kiosk.run("retire").returncode != 0
    own.centre.wait_status("offline")
    mine = [f"{own.centre.agent}/{what}" for what in ("status", "health", "station/1")]
    assert set(mine) <= set(retained(own.broker, f"{own.centre.agent}/#"))

    own.kiosk.start()
    own.consumer.acknowledging = True
    own.delivered()

    wait_for(lambda: nothing_waits(own), "an empty backlog")
    assert own.kiosk.stop() == 0
    done = own.kiosk.run("retire")
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    assert not set(mine) & set(retained(own.broker, f"{own.centre.agent}/#"))


@pytest.mark.parametrize("version", ["this one", "before"])
def test_retire_clears_the_views_of_removed_stations(tmp_path: Path, version: str) -> None:
    """The broker does not let the kiosk read its own views. (commands.md#retire, mqtt.md#access-rights)"""
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(USERS["dock-3"])
    broker_options = {"users": USERS, "acl": ACL}
    mqtt = {"username": "dock-3", "password_file": str(password)}
    with world_of(
        tmp_path,
        stations=("1", "2"),
        mqtt=mqtt,
        broker_options=broker_options,
        user="test",
        started=False,
    ) as world:
        agent = f"{world.centre.agent}/"

        def left() -> set[str]:
            return {topic.removeprefix(agent) for topic in retained(world.broker, f"{agent}#", user="test")}

        world.start()
        wait_for(lambda: {"station/1", "station/2"} <= left(), "the views of both stations")
        world.fresh(world.stations["2"])
        assert world.kiosk.stop() == 0
        if version == "before":
            (world.kiosk.state_dir / "stations").unlink()
        del world.kiosk.settings["station"][1]
        world.kiosk.configure()
        world.start()
        wait_for(lambda: nothing_waits(world), "an empty backlog")
        assert world.kiosk.stop() == 0
        assert "station/2" in left()
        done = world.kiosk.run("retire")
        assert done.returncode == 0, (done.stdout + done.stderr).decode()
        assert left() <= {"ack"}

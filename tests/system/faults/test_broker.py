"""A real broker behind a bad line, or with an old memory after a restart: every event is delivered, in sequence.

Outages of the broker and its memory lost, the consumer away or restored: tests/system/test_outage.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from harness.indicator import Signalled
from harness.relay import Relay
from harness.waiting import wait_for
from harness.world import OK, World, world_of


@contextmanager
def behind(relay_bytes_per_s: int | None, directory: Path, **mqtt: int) -> Iterator[tuple[World, Relay]]:
    """Make a world in which only the kiosk reaches the broker through a relay."""
    with (
        world_of(directory, started=False, uplink={"ack_timeout_s": 10}, mqtt=mqtt) as world,
        Relay(world.broker.port, bytes_per_s=relay_bytes_per_s) as relay,
    ):
        world.kiosk.settings["mqtt"]["port"] = relay.port
        world.kiosk.configure()
        world.kiosk.start()
        world.centre.wait_status("online")
        yield world, relay
        assert world.delivered() == world.in_sequence()
        assert world.kiosk.stop() == 0


def test_very_slow_line(tmp_path: Path) -> None:
    """Eight thousand bytes a second, about eight events: nobody at the station waits for it.

    Rule: faults.md#network-down.
    """
    with behind(8000, tmp_path) as (world, _):
        order, units = world.simple(40)
        station = world.opened(order)
        assert station.scan_all(*units) == [OK] * 39 + [Signalled("order_done", None)]
        assert world.consumer.through(world.kiosk.source)[1] < 30, "the events are still on their way"


def test_line_cut_in_the_middle_again_and_again(tmp_path: Path) -> None:
    """A connection that breaks in the middle of what it carries.

    Rules: faults.md#network-down, mqtt.md#journal-is-the-outbox.
    """
    with behind(40_000, tmp_path) as (world, relay):
        order, units = world.simple(90)
        station = world.opened(order)
        for cut in range(3):
            station.scan_all(*units[cut * 30 : cut * 30 + 30])
            relay.cut()
            wait_for(partial(relay.has_had, cut + 2), "the next connection")
        assert world.kiosk.alive()


def test_line_that_swallows_everything(tmp_path: Path) -> None:
    """Half-open: the connection stands, and nothing comes through. The keep-alive notices.

    Rule: faults.md#network-down.
    """
    with behind(None, tmp_path, keepalive_s=2) as (world, relay):
        order, units = world.simple(20)
        station = world.opened(order)
        station.scan_all(*units[:5])
        before = relay.connections
        relay.mute.set()
        assert station.scan_all(*units[5:19]) == [OK] * 14
        wait_for(lambda: relay.connections > before, "another connection")
        relay.mute.clear()
        assert station.scan(units[19]).signal == "order_done"


def test_broker_restarted_with_an_old_memory(tmp_path: Path) -> None:
    """The broker retains what it had at its last clean stop, an old acknowledgement too.

    Rule: faults.md#broker-or-consumer-loses-data.
    """
    with world_of(tmp_path, uplink={"ack_timeout_s": 1}, broker_options={"persistent": True}) as world:
        order, units = world.simple(60)
        station = world.opened(order)
        station.scan_all(*units[:20])
        world.delivered()
        world.broker.stop()
        world.broker.start()
        station.scan_all(*units[20:40])
        world.delivered()
        world.broker.kill()
        station.scan_all(*units[40:50])
        world.broker.start()
        station.scan_all(*units[50:])
        last = int(world.kiosk.exported()[-1][1].number)
        world.consumer.wait_until(
            lambda: world.consumer.through(world.kiosk.source)[1] == last, f"event {last}", deadline_s=90
        )
        assert world.delivered() == world.in_sequence()
        assert not world.centre.request("health")["health"]["uplink"]["journal_rolled_back"]


@pytest.mark.soak
def test_hours_of_outages(tmp_path: Path) -> None:
    """Thirty outages of the broker, each while scans go on.

    Rule: faults.md#network-down.
    """
    with world_of(tmp_path, uplink={"ack_timeout_s": 1}) as world:
        order, units = world.simple(1500)
        station = world.opened(order)
        for outage in range(30):
            first = outage * 50
            station.scan_all(*units[first : first + 20])
            (world.broker.kill if outage % 2 else world.broker.stop)()
            station.scan_all(*units[first + 20 : first + 40])
            world.broker.start()
            station.scan_all(*units[first + 40 : first + 50])
        last = int(world.kiosk.exported()[-1][1].number)
        world.consumer.wait_until(
            lambda: world.consumer.through(world.kiosk.source)[1] == last, f"event {last}", deadline_s=120
        )
        assert world.delivered() == world.in_sequence()

"""The broker or the consumer goes away and comes back, or the SD card is an old copy: every event is delivered."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.codes import command
from harness.consumer import Consumer
from harness.indicator import Signalled
from harness.warehouse import line
from harness.world import OK, World, world_of

SLOW_S = 90.0
"""Enough for a back-off of up to 30 s."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_of(tmp_path, uplink={"ack_timeout_s": 1}) as found:
        yield found


def all_delivered(world: World) -> None:
    """Check that the consumer has exactly the events of the journal, as exported."""
    exported = world.kiosk.exported()
    journal, last = exported[-1][1].journal, exported[-1][1].number
    world.consumer.wait_until(
        lambda: world.consumer.through(world.kiosk.source) == (journal, last), f"event {last}", deadline_s=SLOW_S
    )
    assert world.in_sequence() == [document for document, _ in exported]
    assert [event.number for _, event in exported] == list(range(1, last + 1))


def test_a_thousand_scans_without_a_broker(world: World) -> None:
    """Rules: faults.md#network-down, mqtt.md#journal-is-the-outbox."""
    units = world.supply.imeis(1000)
    order = world.order(line("1", world.supply.sku(), 1001, tacs=[world.supply.tac]))
    station = world.opened(order)
    world.delivered()
    world.broker.kill()
    assert {station.scan(unit) for unit in units} == {OK}
    mark = world.consumer.mark()
    world.broker.start()
    all_delivered(world)
    counted = [event.data.unit.id for event in world.consumer.since(mark, "scan.accepted")]
    assert counted == units, "in the sequence of scanning"
    assert world.consumer.gaps == 0
    assert world.centre.wait_view(lambda view: view.scanned == 1000).pending == 1


def test_broker_restarted_again_and_again_with_its_memory_lost(world: World) -> None:
    """Rules: faults.md#broker-or-consumer-loses-data, mqtt.md#connection."""
    order, units = world.simple(240)
    station = world.opened(order)
    for outage in range(3):
        first = outage * 80
        assert {station.scan(unit) for unit in units[first : first + 40]} == {OK}
        world.broker.kill()
        station.scan_all(*units[first + 40 : first + 60])
        world.broker.start()
        station.scan_all(*units[first + 60 : first + 80])
    all_delivered(world)
    # The kiosk publishes its retained views again, although nothing has changed.
    world.centre.forget_views()
    world.broker.kill()
    world.broker.start()
    assert world.centre.wait_view(lambda view: view.order == order, deadline_s=SLOW_S).pending == 0


def test_consumer_away_while_the_broker_takes_everything(world: World) -> None:
    """Rules: faults.md#broker-or-consumer-loses-data, mqtt.md#acknowledgement."""
    order, units = world.simple(100)
    station = world.opened(order)
    world.delivered()
    world.consumer.stop()
    witness = Consumer(world.broker, acknowledging=False)
    witness.start()
    assert {station.scan(unit) for unit in units[:99]} == {OK}
    # The broker has acknowledged everything, and only a consumer that stores nothing has seen it.
    witness.wait_until(lambda: len(witness.since(0, "scan.accepted")) == 99, "99 scans at the witness")
    witness.stop()
    assert not witness.problems
    assert not world.consumer.since(0, "scan.accepted")
    world.consumer.start()
    assert station.scan(units[99]) == Signalled("order_done", None)
    all_delivered(world)


def test_consumer_restored_from_an_older_backup_asks_for_the_rest(world: World) -> None:
    """Rules: faults.md#broker-or-consumer-loses-data, mqtt.md#requests."""
    order, units = world.simple(50)
    station = world.opened(order)
    station.scan_all(*units[:10])
    world.delivered()
    backup = world.consumer.stored()
    station.scan_all(*units[10:40])
    world.delivered()
    world.consumer.restore(backup)
    # The consumer notices at the next event, which does not follow the last one that it has.
    gaps = world.consumer.gaps
    station.scan_all(*units[40:])
    world.consumer.wait_until(lambda: world.consumer.gaps > gaps, "a gap")
    journal, through = world.consumer.through(world.kiosk.source)
    assert through == backup[-1].event.number
    newest = max(stored.event.number for stored in world.consumer.stored())
    wanted = {"journal": journal, "from": f"{through + 1:012d}", "through": f"{newest:012d}"}
    answer = world.centre.request("resend", wanted)
    assert answer["transaction"]
    all_delivered(world)


def test_consumer_takes_an_export_like_mqtt(world: World) -> None:
    """Rule: commands.md#journal."""
    order, units = world.simple(20)
    station = world.opened(order)
    world.consumer.stop()
    world.broker.kill()
    station.scan_all(*units)
    for document, event in world.kiosk.exported():
        world.consumer.take(document, event)
    assert [event.data.unit.id for event in world.consumer.since(0, "scan.accepted")] == units
    world.broker.start()
    world.consumer.start()
    assert station.scan(command("UNDO")) == Signalled("removed", None)
    all_delivered(world)


def test_an_old_copy_of_the_card_goes_on_under_a_new_journal(world: World) -> None:
    """Rule: mqtt.md#rolled-back-journal."""
    order, units = world.simple(12)
    station = world.opened(order)
    station.scan_all(*units[:4])
    world.delivered()
    old_journal, _ = world.consumer.through(world.kiosk.source)
    assert world.kiosk.stop() == 0
    copy = world.kiosk.directory / "copy"
    shutil.copytree(world.kiosk.state_dir, copy)
    world.kiosk.start()
    station.scan_all(*units[4:8])
    world.delivered()
    world.kiosk.cut_power()
    shutil.rmtree(world.kiosk.state_dir)
    copy.rename(world.kiosk.state_dir)

    world.kiosk.start()
    world.centre.wait_health(lambda health: health["uplink"]["journal_rolled_back"], "journal_rolled_back")
    mark = world.consumer.mark()
    assert station.scan(units[8]) == OK, "counts go on from the copy"
    event = world.consumer.wait("scan.accepted", since=mark)
    assert event.journal != old_journal
    assert event.data.order_scanned == 5
    journal, through = world.consumer.through(world.kiosk.source)
    assert (journal, through) == (event.journal, event.number), "its sequence begins at one, without a gap"

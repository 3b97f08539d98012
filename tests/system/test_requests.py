"""The requests of the centre, and their answers."""

import json
import threading
import uuid

from harness.codes import command
from harness.world import World


def test_health_tells_what_a_fleet_admin_looks_for(world: World) -> None:
    """Rule: mqtt.md#health."""
    station = world.opened(world.simple(1)[0])
    world.delivered()
    answer = world.centre.request("health")
    said = json.dumps(answer)
    for subject in (
        "left", "right", "indicator", "uplink", "backlog", "acked", "last", "journal", "free", "synced", "missing",
        "config", "operators", "restarts", "certificate", "temperature", "voltage", "memory", "uptime", "time",
    ):  # fmt: skip
        assert subject in said, f"no {subject} in {said}"
    station.scan(command("CLOSE"))


def test_identify_blinks_and_answers(world: World) -> None:
    """Rule: mqtt.md#requests."""
    station = world.fresh()
    assert world.centre.request("identify")["transaction"]
    shown = station.indicator.left()
    assert len(shown) <= 1
    assert station.scan(command("WHERE")).signal == "where"


def test_reload_is_answered_and_scanning_goes_on(world: World) -> None:
    """Rule: mqtt.md#requests."""
    order, units = world.simple(2)
    station = world.opened(order)
    assert station.scan(units[0]).signal == "ok"
    assert world.centre.request("reload")["transaction"]
    assert station.scan(units[1]).signal == "order_done"


def test_resend_sends_the_range_again_once_a_transaction(world: World) -> None:
    """Rule: mqtt.md#requests."""
    order, units = world.simple(5)
    station = world.opened(order)
    mark = world.mark()
    station.scan_all(*units)
    world.delivered()
    counted = world.consumer.since(mark, "scan.accepted")
    transaction, repeats = uuid.uuid4().hex, world.consumer.repeats
    wanted = {"journal": counted[0].journal, "from": counted[0].sequence, "through": counted[-1].sequence}
    world.centre.send_request("resend", transaction, wanted)
    first = world.centre.wait_answers(transaction)[0]
    world.consumer.wait_until(lambda: world.consumer.repeats == repeats + 5, "five events again")

    world.centre.send_request("resend", transaction, wanted)
    assert world.centre.wait_answers(transaction, 2)[1] == first, "answered from memory"
    # Events that the repeated request had sent would come before the event of a later scan.
    station.scan_all(command("SAVE"), command("SAVE"))
    world.consumer.wait("box.confirmed", since=mark)
    assert world.consumer.repeats == repeats + 5
    world.check()


def test_resend_of_a_foreign_journal_or_the_future_is_answered(world: World) -> None:
    """Rule: mqtt.md#requests."""
    world.fresh()
    world.delivered()
    ours, _ = world.consumer.through(world.kiosk.source)
    repeats = world.consumer.repeats
    for journal, first, last in (
        ("ZZZZZZZZ", "000000000001", "000000000009"),
        (ours, "000000900000", "000000900009"),
    ):
        assert world.centre.request("resend", {"journal": journal, "from": first, "through": last})["transaction"]
        assert world.consumer.repeats == repeats


def test_unknown_request_is_answered_or_ignored_and_nothing_else(world: World) -> None:
    """Rule: mqtt.md#requests."""
    order, units = world.simple(1)
    station = world.opened(order)
    world.centre.send_request("dance", uuid.uuid4().hex, {"tune": "polka"})
    world.centre.settle()
    assert station.scan(units[0]).signal == "order_done"


def test_retained_request_is_ignored(world: World) -> None:
    """A request that the broker retains would be taken again at every connect.

    Rule: mqtt.md#requests.
    """
    transaction = uuid.uuid4().hex
    topic = f"agent/{world.kiosk.name}/request/health"
    assert world.kiosk.stop() == 0
    offline = len(world.centre.statuses)
    world.centre.tell(topic, {"transaction": transaction})
    world.kiosk.start()
    world.centre.wait_status("online", after=offline)
    world.centre.settle()
    assert world.centre.answers(transaction) == []
    world.centre.tell(topic, None)


def test_flood_of_requests_keeps_neither_scan_nor_stop_waiting(world: World) -> None:
    """Rules: mqtt.md#requests, signals.md#one-signal-per-scan."""
    order, units = world.simple(1)
    station = world.opened(order)
    statuses = len(world.centre.statuses)
    over = threading.Event()

    def flood() -> None:
        while not over.wait(0.01):
            for _ in range(20):
                world.centre.post(f"{world.centre.agent}/request/health", json.dumps({"transaction": uuid.uuid4().hex}))

    asking = threading.Thread(target=flood)
    asking.start()
    try:
        assert station.scan(units[0]).signal == "order_done"
        assert world.kiosk.stop() == 0
    finally:
        over.set()
        asking.join()
    world.centre.wait_status("offline", after=statuses)
    statuses = len(world.centre.statuses)
    world.kiosk.start()
    world.centre.wait_status("online", after=statuses)
    world.centre.settle()

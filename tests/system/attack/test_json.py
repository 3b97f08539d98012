"""Hostile JSON on every topic that a kiosk reads: what the schemas forbid changes nothing, and nothing grows."""

import json
import random
from collections.abc import Iterator

import pytest

from harness.codes import command, topic_level
from harness.indicator import Signalled
from harness.warehouse import line, manifest
from harness.wire import problems
from harness.world import OK, World
from tests.system.attack.attacking import at_rest, attacked, opened
from tests.system.attack.bounds import Bounds
from tests.system.attack.hostile_json import hostile_message

SEED = 20261128
SHORT, LONG = 100, 5000
"""Messages of each topic."""

ORDER = "AT-1"
TOPICS = {
    f"order/{ORDER}": "manifest",
    "reference/orders": "order-index",
    "reference/orders/a": "order-index",
    "reference/operators": "operators",
    "reference/boxes": "box-sizes",
    "reference/blocked/at": "blocked-units",
    f"counted/{ORDER}/p": "counted",
    "agent/dock-3/ack": "ack",
    "agent/dock-3/verdict/AT": "verdict",
    "agent/dock-3/request/health": "request",
    "agent/dock-3/request/resend": "request-resend",
    "agent/dock-3/request/reload": "request",
    "agent/dock-3/request/identify": "request",
    "agent/dock-3/request/unheard-of": "request",
}


def forbidden(topic: str, payload: bytes) -> bool:
    try:
        return bool(problems(f"kiosk/v1/rtm1/{topic}", payload))
    except RecursionError:
        return True


def messages_for(world: World, topic: str, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload): of what changes the whole kiosk if it is sound, only what the schema forbids."""
    chance = random.Random(f"{topic} {SEED}")
    for _ in range(count):
        payload = hostile_message(TOPICS[topic], chance)
        concerns_all = topic.startswith(("reference/o", "reference/boxes"))
        if not concerns_all or forbidden(topic, payload):
            yield f"{world.centre.root}/{topic}", payload


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
@pytest.mark.parametrize("topic", TOPICS)
def test_spoilt_messages(world: World, topic: str, count: int) -> None:
    """Rules: mqtt.md#refused-messages, mqtt.md#json-values."""
    print(f"seed {SEED}")
    order, units = world.simple(3)
    with attacked(world, f"{count} spoilt messages on {topic}"):
        opened(world, order)
        for number, (where, payload) in enumerate(messages_for(world, topic, count)):
            world.centre.post(where, payload, retain=number % 3 == 0)
            if number % 100 == 99:
                world.centre.settle()
        world.centre.settle()
        assert world.station.scan_all(units[0], command("SAVE"), command("BOX", "M"), command("SAVE")) == [
            OK, Signalled("boxed", None), OK, Signalled("saved", None),
        ]  # fmt: skip
        clear(world, topic)


def clear(world: World, topic: str) -> None:
    """Take away what the broker retains on a topic, except the operators and sizes, which are published anew."""
    world.centre.publish(f"{world.centre.root}/{topic}", b"", retain=True)
    world.centre.settle()


@pytest.mark.parametrize("count", [40, pytest.param(2000, marks=pytest.mark.soak)])
def test_largest_manifests(world: World, count: int) -> None:
    """500 lines with ids of 64 characters, revised again and again; the order is not open here.

    Rules: mqtt.md#refused-messages.
    """
    lines = [line(f"{number:064d}", f"{number:064X}", 1) for number in range(500)]
    with attacked(world, f"{count} revisions of a manifest of 500 lines", Bounds(disk_bytes=16 * 2**20)):
        for revision in range(1, count + 1):
            content = json.dumps(manifest("AT-BIG", *lines, revision=revision))
            world.centre.post(f"{world.centre.root}/order/{topic_level('AT-BIG')}", content, retain=True)
        world.centre.settle()
        assert at_rest(world).scan("AT-BIG") == OK


@pytest.mark.parametrize("count", [40, pytest.param(2000, marks=pytest.mark.soak)])
def test_revisions_of_an_open_order(world: World, count: int) -> None:
    """The journal grows by a bounded amount for each revision, however large the manifest.

    Rule: workflow.md#manifest-revisions.
    """
    units = world.supply.imeis(2)
    lines = [line(f"{number:064d}", f"{number:064X}", 1, tacs=["99000000"]) for number in range(499)]
    first = line("1", "AT-PHONE", 2, units=[[unit] for unit in units])
    with attacked(world, f"{count} revisions of an open order of 500 lines", Bounds(disk_bytes=16 * 2**20)):
        opened(world, world.order(first, *lines, order="AT-OPEN"))
        assert world.station.scan(units[0]) == OK
        for revision in range(2, count + 2):
            content = json.dumps(manifest("AT-OPEN", first, *lines, revision=revision))
            world.centre.post(f"{world.centre.root}/order/{topic_level('AT-OPEN')}", content, retain=True)
        world.centre.settle()
        world.station.indicator.left()
        assert world.station.scan(units[1]) == Signalled("line_done", None)

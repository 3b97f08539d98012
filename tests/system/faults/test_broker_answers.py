"""Wrong answers of a broker, and missing ones: they are logged, it is tried again, and scanning goes on.

One daemon meets many brokers: it tries its `hosts` in turn, and the last one is real.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness.mqtt_packets import CONNECT, PUBLISH, RECEIVE_MAXIMUM, SUBSCRIBE, Packet, connack, puback
from harness.played_broker import PlayedConnection, Script, ScriptedBroker
from harness.waiting import wait_for
from harness.world import OK, World, refused, world_of

CONNACK_V5 = {
    0x80: "Unspecified error", 0x81: "Malformed packet", 0x82: "Protocol error",
    0x83: "Implementation specific error", 0x84: "Unsupported protocol version",
    0x85: "Client identifier not valid", 0x86: "Bad user name or password", 0x87: "Not authorized",
    0x88: "Server unavailable", 0x89: "Server busy", 0x8A: "Banned", 0x8C: "Bad authentication method",
    0x90: "Topic name invalid", 0x95: "Packet too large", 0x97: "Quota exceeded", 0x99: "before the broker answered",
    0x9A: "Retain not supported", 0x9B: "QoS not supported", 0x9C: "Use another server", 0x9D: "Server moved",
    0x9F: "Connection rate exceeded",
}  # fmt: skip
"""OASIS MQTT 5.0, table 3-1. paho does not expect 0x99 in a CONNACK, and closes the connection."""
CONNACK_V311 = {1: "before the broker answered", 2: "identifier", 3: "unavailable", 4: "user name", 5: "authorized"}
"""OASIS MQTT 3.1.1, table 3.1, with a word of each log line. At 1 paho closes the connection without a reason."""
PUBACK_FAILURES = (0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)
"""OASIS MQTT 5.0, table 3-4."""

NO_CONSUMER = 0x10


@contextmanager
def meeting(
    directory: Path, *scripts: Script, protocol: int = 5, keepalive_s: int = 30, confirm: str = "consumer"
) -> Iterator[tuple[World, list[ScriptedBroker]]]:
    """Make a world whose daemon, not yet started, meets the scripted brokers in their order, then the real one."""
    with ExitStack() as undo:
        brokers = [undo.enter_context(ScriptedBroker(script, v5=protocol == 5)) for script in scripts]
        world = undo.enter_context(world_of(directory, started=False, uplink={"ack_timeout_s": 1, "confirm": confirm}))
        del world.kiosk.settings["mqtt"]["host"]
        world.kiosk.settings["mqtt"] |= {
            "hosts": [broker.host for broker in brokers] + [f"127.0.0.1:{world.broker.port}"],
            "protocol": protocol,
            "keepalive_s": keepalive_s,
        }
        world.kiosk.configure()
        yield world, brokers
        assert world.kiosk.stop() == 0


def lines_about(world: World, broker: ScriptedBroker) -> list[str]:
    """Return what the daemon has logged about one broker."""
    return [line for line in world.kiosk.output().splitlines() if broker.host in line]


def refuses(code: int) -> Script:
    def script(link: PlayedConnection, broker: ScriptedBroker) -> None:
        link.expect(CONNECT)
        link.connack(code)
        link.expect_closed()

    return script


@pytest.mark.parametrize(("protocol", "codes"), [(5, CONNACK_V5), (311, CONNACK_V311)])
def test_every_refusal_of_a_connection_is_named_and_the_next_broker_tried(
    tmp_path: Path, protocol: int, codes: dict[int, str]
) -> None:
    """Rule: settings.md#broker."""
    with meeting(tmp_path, *(refuses(code) for code in codes), protocol=protocol) as (world, brokers):
        world.kiosk.start()
        assert world.station.scan("anything") == refused("not_signed_in")
        world.centre.wait_status("online")
        for broker, name in zip(brokers, codes.values(), strict=True):
            said = lines_about(world, broker)
            assert len(said) == 1, said
            assert name.lower() in said[0].lower()
        order, units = world.simple(1)
        assert world.opened(order).scan(units[0]).signal == "order_done"
        if protocol == 5:
            assert world.delivered() == world.in_sequence()
        else:
            world.consumer.problems.clear()  # without MQTT 5 there are no properties to look for


# -- broken off, or none of our kind -----------------------------------------------------------------------------------


def after_connect(answer: bytes) -> Script:
    """Return a script that takes the CONNECT, sends these bytes, and closes."""

    def script(link: PlayedConnection, broker: ScriptedBroker) -> None:
        link.expect(CONNECT)
        link.send_raw(answer)

    return script


def after_subscribe(answer: bytes) -> Script:
    def script(link: PlayedConnection, broker: ScriptedBroker) -> None:
        link.expect(CONNECT)
        link.connack()
        while link.read().kind != SUBSCRIBE:
            pass
        link.send_raw(answer)

    return script


BEFORE_THE_CONNACK: dict[str, Script] = {
    "closes at once": lambda _link, _broker: None,
    "closes after CONNECT": after_connect(b""),
    "half a CONNACK": after_connect(connack()[:2]),
    "a web server": after_connect(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    "every byte": after_connect(bytes(range(256))),
}
WHILE_CONNECTED: dict[str, Script] = {
    "half a PUBLISH": after_subscribe(b"\x32\x7f\x00\x10kiosk/v1"),
    "a length without end": after_subscribe(b"\x32\xff\xff\xff\xff\xff\xff"),
    "half a SUBACK": after_subscribe(b"\x90\x20\x00"),
    "half a length": after_subscribe(b"\x32\xff\xff"),
    "a PUBACK of nothing": after_subscribe(puback(65535)),
    "a packet of no type": after_subscribe(b"\x00\x02\x00\x00"),
}
"""The daemon backs off after each of these, so all of them take a minute."""


def meet_and_go_on(directory: Path, scripts: Mapping[str, Script], *, deadline_s: float) -> None:
    """Have a daemon meet each of these brokers, then the real one, and scan."""
    with meeting(directory, *scripts.values()) as (world, brokers):
        world.kiosk.start()
        world.centre.wait_status("online", deadline_s=deadline_s)
        for what, broker in zip(scripts, brokers, strict=True):
            assert broker.connections >= 1, what
            assert lines_about(world, broker), f"{what}: nothing was said about it"
        order, units = world.simple(1)
        assert world.opened(order).scan(units[0]).signal == "order_done"
        assert world.delivered() == world.in_sequence()


def test_connections_that_break_off(tmp_path: Path) -> None:
    """Rule: mqtt.md#reconnect."""
    some = dict(list(WHILE_CONNECTED.items())[:2])
    meet_and_go_on(tmp_path, BEFORE_THE_CONNACK | some, deadline_s=60)


@pytest.mark.soak
def test_connections_that_break_off_anywhere(tmp_path: Path) -> None:
    """Rule: mqtt.md#reconnect."""
    meet_and_go_on(tmp_path, WHILE_CONNECTED, deadline_s=180)


def silent(link: PlayedConnection, broker: ScriptedBroker) -> None:
    """Accept the connection, and do nothing else."""
    link.expect_closed()


def silent_after_connack(link: PlayedConnection, broker: ScriptedBroker) -> None:
    link.expect(CONNECT)
    link.connack()
    link.expect_closed()


@pytest.mark.parametrize("script", [silent, pytest.param(silent_after_connack, marks=pytest.mark.soak)])
def test_broker_that_falls_silent_is_left(tmp_path: Path, script: Script) -> None:
    """Rules: mqtt.md#reconnect, faults.md#network-down."""
    with meeting(tmp_path, script, keepalive_s=3) as (world, (broker,)):
        world.kiosk.start()
        broker.wait_connections(1)
        assert world.station.scan("anything") == refused("not_signed_in")
        world.centre.wait_status("online", deadline_s=60)
        assert lines_about(world, broker)


# -- refused publishes -------------------------------------------------------------------------------------------------


def receive_maximum_property(value: int | None) -> bytes:
    return b"" if value is None else bytes((RECEIVE_MAXIMUM,)) + value.to_bytes(2)


def a_broker(answer: Callable[[Packet], int | None], *, receive_maximum: int | None = None) -> Script:
    def script(link: PlayedConnection, broker: ScriptedBroker) -> None:
        link.expect(CONNECT)
        link.connack(properties=receive_maximum_property(receive_maximum))
        link.serve(answer=answer, answered=broker.note)

    return script


def refused_scans(world: World, count: int) -> None:
    """Make refused scans of a kiosk without an operator, slowly enough that each is an event of its own."""
    for number in range(count):
        assert world.station.scan(f"ANYTHING-{number}") == refused("not_signed_in")


def test_every_refusal_of_an_event_is_tried_again_and_passes(tmp_path: Path) -> None:
    """With `confirm = "broker"` an event is delivered when the broker takes it, here at the second attempt.

    Rules: mqtt.md#broker-confirmation, mqtt.md#refused-publish.
    """
    attempts: dict[bytes, int] = {}

    def answer(publish: Packet) -> int:
        if "/event/" not in publish.topic:
            return 0
        number = list(attempts).index(publish.payload) if publish.payload in attempts else len(attempts)
        attempts[publish.payload] = attempts.get(publish.payload, 0) + 1
        codes = (*PUBACK_FAILURES, NO_CONSUMER)
        return codes[number] if attempts[publish.payload] == 1 and number < len(codes) else 0

    with meeting(tmp_path, a_broker(answer), confirm="broker") as (world, (broker,)):
        world.kiosk.start()
        refused_scans(world, 10)
        exported = [document for document, _ in world.kiosk.exported()]
        taken: list[bytes] = []

        def all_taken() -> bool:
            taken[:] = [publish.payload for publish, code in broker.published() if code == 0]
            return set(taken) >= set(exported)

        wait_for(all_taken, "every event to be taken")
        assert sorted(taken) == sorted(exported), "each was taken once"
        codes = [code for _, code in broker.published()]
        assert {*PUBACK_FAILURES, NO_CONSUMER} <= set(codes)

        def health() -> dict[str, object]:
            found: dict[str, object] = json.loads(broker.published("/health")[-1][0].payload)["uplink"]
            return found

        wait_for(lambda: health()["last_refusal"] is not None, "the refusals in health")


def test_no_more_in_flight_than_the_broker_takes(tmp_path: Path) -> None:
    """With a Receive Maximum of one, the next publish comes when the one before is answered.

    Rules: mqtt.md#journal-is-the-outbox, settings.md#uplink.
    """

    def script(link: PlayedConnection, broker: ScriptedBroker) -> None:
        link.expect(CONNECT)
        link.connack(properties=receive_maximum_property(1))

        def answer(_: Packet) -> int:
            while (more := link.peek(0.02)) is not None:
                assert more.kind != PUBLISH, "a second publish before the first was answered"
            return 0

        link.serve(answer=answer, answered=broker.note)

    with meeting(tmp_path, script, confirm="broker") as (world, (broker,)):
        world.kiosk.start()
        refused_scans(world, 6)
        exported = {document for document, _ in world.kiosk.exported()}
        wait_for(lambda: {publish.payload for publish, _ in broker.published()} >= exported, "every event")


def test_refused_subscription_is_told(tmp_path: Path) -> None:
    """Rule: mqtt.md#health."""

    def script(link: PlayedConnection, broker: ScriptedBroker) -> None:
        link.expect(CONNECT)
        link.connack()
        link.serve(answered=broker.note, subscribed=lambda count: bytes((0x87,)) + bytes((1,)) * (count - 1))

    with meeting(tmp_path, script) as (world, (broker,)):
        world.kiosk.start()

        def told() -> bool:
            health = [json.loads(publish.payload) for publish, _ in broker.published("/health")]
            return bool(health) and len(health[-1]["uplink"]["refused_subscriptions"]) == 1

        wait_for(told, "the refused subscription in health")
        assert "refuses the subscription" in world.kiosk.output()


# -- for long ----------------------------------------------------------------------------------------------------------


@pytest.mark.soak
def test_event_refused_for_good_gives_way_to_a_stand_in(tmp_path: Path) -> None:
    """Ten refusals, the interval doubling to a minute, while other events pass: about five minutes.

    Rule: mqtt.md#refused-publish.
    """
    bad: list[bytes] = []

    def answer(publish: Packet) -> int:
        if "/event/" in publish.topic and not bad:
            bad.append(publish.payload)
        return 0x87 if publish.payload in bad else 0

    with meeting(tmp_path, a_broker(answer), confirm="broker") as (world, (broker,)):
        world.kiosk.start()
        refused_scans(world, 1)
        wait_for(lambda: bool(bad), "the event to be refused")
        told = json.loads(bad[0])

        def stood_in() -> bool:
            refused_scans(world, 1)  # other events must pass, else the broker refuses everything
            found = [json.loads(publish.payload) for publish, _ in broker.published("/event/journal")]
            return any(one["id"] == told["id"] and one["sequence"] == told["sequence"] for one in found)

        wait_for(stood_in, "the stand-in", deadline_s=420)
        assert bad[0] in [document for document, _ in world.kiosk.exported()], "the original stays"


@pytest.mark.soak
def test_broker_that_answers_pings_but_no_publish_is_left(tmp_path: Path) -> None:
    """Rule: mqtt.md#unacknowledged-events."""
    with meeting(tmp_path, a_broker(lambda _: None), keepalive_s=5) as (world, (broker,)):
        world.kiosk.start()
        broker.wait_connections(1)
        refused_scans(world, 3)
        world.centre.wait_status("online", deadline_s=180)
        assert OK not in world.station.scan_all("STILL")
        assert world.delivered() == world.in_sequence()

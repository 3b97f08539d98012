"""A hostile broker: whatever it sends, the kiosk scans on, stays within its bounds, and finds the real one again."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.mqtt_packets import CONNACK, CONNECT, DISCONNECT, PUBACK, connack, encode, suback
from tests.system.attack.bounds import Bounds
from tests.system.attack.hostile_peer import HostileConnection, Play, Siege, raw_publish, sieging

SEED = 20261128
SHORT, LONG = 1200, 20_000
"""Messages of a flood."""
MIB = 2**20


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    with sieging(tmp_path_factory.mktemp("siege")) as found:
        yield found


@pytest.fixture
def consumer_siege(tmp_path: Path) -> Iterator[Siege]:
    """A siege in which nothing is delivered before the consumer's ack covers it."""
    with sieging(tmp_path, confirm="consumer") as found:
        yield found


# -- floods ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
def test_flood_of_verdicts(siege: Siege, count: int) -> None:
    """Rule: mqtt.md#verdicts."""

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        for number in range(count):
            verdict = {"revision": 1, "action": "hold", "order": f"NO-{number}", "unit": "X", "reason": "R" * 256}
            link.tell(f"verdict/V{number}", verdict, retain=True)
        link.settle()

    siege.attack(f"{count} verdicts", play, bounds=Bounds(disk_bytes=count * 2048 + 8 * MIB), deadline_s=600)


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
def test_flood_of_stale_and_forged_acks(consumer_siege: Siege, count: int) -> None:
    """Rule: mqtt.md#acknowledgement."""
    siege = consumer_siege
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    before = siege.world.centre.statuses[-1].journal

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        for number in range(count):
            through = f"{chance.randrange(10**12):012d}"
            ack = chance.choice(
                (
                    {"journal": f"{number:08X}", "through": through, "id": "x" * 64},
                    {"journal": link.journal, "through": "000000000000"},
                    {"journal": link.journal, "through": "1" * 11},
                    {"journal": link.journal.lower() + " ", "through": through},
                    {"journal": None, "through": through},
                    {"journal": link.journal, "through": -1, "id": 7},
                )
            )
            link.tell("ack", ack, retain=True)
        link.settle()

    siege.attack(f"{count} stale and forged acks", play, deadline_s=600)
    assert siege.world.centre.statuses[-1].journal == before, "a forged ack has made another journal"
    assert siege.world.delivered() == siege.world.in_sequence()


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
def test_flood_of_requests(siege: Siege, count: int) -> None:
    """Rule: mqtt.md#requests."""
    names = ("health", "identify", "reload", "unheard-of")

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        for number in range(count):
            link.tell(f"request/{names[number % 4]}", {"transaction": f"flood-{number:050d}", "more": "x" * 100})
        link.settle()

    siege.attack(f"{count} requests", play, deadline_s=600)


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
def test_flood_of_resends(siege: Siege, count: int) -> None:
    """Rule: mqtt.md#requests."""

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        for number in range(count):
            fields = {"journal": link.journal, "from": "000000000001", "through": "999999999999"}
            link.tell("request/resend", {"transaction": f"resend-{number}", **fields})
        link.settle()

    siege.attack(f"{count} requests to resend everything", play, deadline_s=600)


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
def test_flood_of_parts_and_orders(siege: Siege, count: int) -> None:
    """Parts of the blocked list, parts of what is counted, and orders, each of which is kept.

    Rules: mqtt.md#manifest, mqtt.md#blocked-units, mqtt.md#counted-parts.
    """
    line = {"line": "1", "sku": "S", "quantity": 1, "serialized": True}
    count //= 4

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        for number in range(count):
            order = f"FLOOD-{number}"
            content = {"order": order, "revision": 1, "type": "normal", "status": "open", "lines": [line]}
            link.tell_at(f"{link.root}/order/{order}", content, retain=True)
            link.tell_at(f"{link.root}/reference/blocked/p{number}", {"revision": 1, "items": [f"{number:015d}"]})
            counted = {"order": order, "part": "p", "revision": 1, "boxes": []}
            link.tell_at(f"{link.root}/counted/{order}/p", counted)
        for number in range(count):
            link.tell_at(f"{link.root}/order/FLOOD-{number}", b"", retain=True)
            link.tell_at(f"{link.root}/reference/blocked/p{number}", b"")
        link.settle()

    bounds = Bounds(memory_kib=60 * 1024, disk_bytes=16 * MIB + count * 8192)
    siege.attack(f"{count} orders, blocked parts and counted parts", play, bounds=bounds, deadline_s=600)


# -- size and quality of service ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("megabytes", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_oversize_publish(siege: Siege, megabytes: int) -> None:
    """It is discarded as it arrives and acknowledged, and the connection stays."""

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        link.tell_at(f"{link.root}/order/BIG", b"x" * (megabytes * MIB), qos=1, identifier=77, retain=True)
        link.wait(lambda: 77 in link.acknowledged, "the acknowledgement of the oversize publish", deadline_s=120)
        link.settle()

    siege.attack(f"a publish of {megabytes} MB", play, deadline_s=240)


def test_publish_of_qos_2(siege: Siege) -> None:
    """It closes the connection."""

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        link.tell_at(f"{link.root}/order/QOS-2", b"{}", qos=2)
        link.wait_closed()

    siege.attack("a publish of QoS 2", play)


# -- packets that no broker sends --------------------------------------------------------------------------------------

_PACKETS: dict[str, bytes] = {
    "an acknowledgement of nothing": encode(PUBACK, b"\xff\xff"),
    "a second CONNACK": connack(),
    "a SUBACK of nothing": suback(65535, b"\x01\x01"),
    "a reserved type": b"\x00\x00",
    "an AUTH": b"\xf0\x02\x18\x00",
    "a CONNECT": encode(CONNECT, b"\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x00"),
    "QoS 3": raw_publish(b"kiosk/v1/rtm1/order/X", b"{}", flags=6),
    "an empty topic": raw_publish(b"", b"{}"),
    "a topic with wildcards": raw_publish(b"kiosk/v1/rtm1/order/#", b"{}"),
    "a topic that is no UTF-8": raw_publish(b"kiosk/v1/\xff\xfe\x00", b"{}"),
    "a topic of 65535 bytes": raw_publish(b"kiosk/v1/rtm1/order/" + b"x" * 65515, b"{}"),
    "an alias of nothing": raw_publish(b"", b"{}", properties=b"\x03\x23\xff\xff"),
    "a property list that is too long": raw_publish(b"kiosk/v1/rtm1/order/X", b"", properties=b"\xff\xff\xff\x7f"),
    "an unknown property": raw_publish(b"kiosk/v1/rtm1/order/X", b"{}", properties=b"\x02\x7f\x00"),
    "a length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "the longest packet, and nothing of it": b"\x30\xff\xff\xff\x7f",
    "a web page": b"HTTP/1.1 200 OK\r\n\r\n<html>" * 100,
}


def sends(raw: bytes) -> Play:
    """Return a play that sends bytes after the first event, and goes if the kiosk does not."""

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        link.send_raw(raw)
        link.closed.wait(0.2)

    return play


def random_packets(link: HostileConnection, chance: random.Random) -> None:
    link.greet()
    link.wait_event()
    for _ in range(200):
        body = chance.randbytes(chance.randint(0, 60))
        link.send_raw(encode(chance.randrange(16), body, flags=chance.randrange(16)))
    link.closed.wait(0.2)


_SOME = ("a topic that is no UTF-8", "the longest packet, and nothing of it")


@pytest.mark.parametrize("names", [_SOME, pytest.param(tuple(_PACKETS), marks=pytest.mark.soak)], ids=len)
def test_packets_that_no_broker_sends(siege: Siege, names: tuple[str, ...]) -> None:
    """Rule: mqtt.md#reconnect."""
    siege.attack(f"{len(names)} forbidden packets", *(sends(_PACKETS[name]) for name in names), deadline_s=300)


@pytest.mark.parametrize("count", [1, pytest.param(30, marks=pytest.mark.soak)])
def test_random_packets(siege: Siege, count: int) -> None:
    """Rule: mqtt.md#reconnect."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    plays: list[Play] = [lambda link: random_packets(link, chance)] * count
    siege.attack(f"{count} connections of random packets", *plays, deadline_s=600)


# -- answers to CONNECT and SUBSCRIBE ----------------------------------------------------------------------------------

_CONNACKS: dict[str, bytes] = {
    "Receive Maximum 0": connack(properties=b"\x21\x00\x00"),
    "Maximum Packet Size 0": connack(properties=b"\x27\x00\x00\x00\x00"),
    "Maximum Packet Size 1": connack(properties=b"\x27\x00\x00\x00\x01"),
    "Maximum QoS 0": connack(properties=b"\x24\x00"),
    "no retain": connack(properties=b"\x25\x00"),
    "no wildcards": connack(properties=b"\x28\x00"),
    "Server Keep Alive 1": connack(properties=b"\x13\x00\x01"),
    "another client id": connack(properties=b"\x12" + b"\x00\x05other"),
    "Topic Alias Maximum": connack(properties=b"\x22\xff\xff"),
    "session present": encode(CONNACK, b"\x01\x00\x00"),
    "reserved flags": encode(CONNACK, b"\xfe\x00\x00"),
    "the same property twice": connack(properties=b"\x21\x00\x01\x21\x00\x02"),
    "half a property": connack(properties=b"\x21\x00"),
    "user properties without end": connack(properties=b"\x26\x00\x01a\x00\x01b" * 20_000),
    "an unknown code": connack(0xEE),
    "no properties": encode(CONNACK, b"\x00\x00"),
    "nothing in it": encode(CONNACK, b""),
}


def answers_connect(raw: bytes) -> Play:
    def play(link: HostileConnection) -> None:
        link.expect(CONNECT)
        link.send_raw(raw)
        link.stream.settimeout(0.3)
        with suppress(TimeoutError):  # the kiosk may take the answer as it is
            link.expect_closed()

    return play


_FEW = ("half a property",)


@pytest.mark.parametrize("names", [_FEW, pytest.param(tuple(_CONNACKS), marks=pytest.mark.soak)], ids=len)
def test_answers_to_connect(siege: Siege, names: tuple[str, ...]) -> None:
    """Rule: mqtt.md#reconnect."""
    plays = [answers_connect(_CONNACKS[name]) for name in names]
    siege.attack(f"{len(names)} answers to CONNECT", *plays, deadline_s=900)


_SUBACKS = {
    "all refused": lambda count: b"\x87" * count,
    "one code": lambda count: b"\x01",
    "no code": lambda count: b"",
    "too many": lambda count: b"\x01" * (count + 1000),
    "unknown codes": lambda count: b"\x55" * count,
    "first refused": lambda count: b"\x80" + b"\x01" * (count - 1),
}


@pytest.mark.parametrize("names", [("no code",), pytest.param(tuple(_SUBACKS), marks=pytest.mark.soak)], ids=len)
def test_answers_to_subscribe(siege: Siege, names: tuple[str, ...]) -> None:
    """Rule: mqtt.md#reconnect."""

    def answering(name: str) -> Play:
        def play(link: HostileConnection) -> None:
            link.greet(subscribed=_SUBACKS[name])
            link.closed.wait(0.5)

        return play

    siege.attack(f"{len(names)} answers to SUBSCRIBE", *(answering(name) for name in names), deadline_s=600)


@pytest.mark.parametrize("count", [2, pytest.param(40, marks=pytest.mark.soak)])
def test_storm_of_disconnects(siege: Siege, count: int) -> None:
    """Connections that end as soon as events flow: by a DISCONNECT, a reset, or without a word.

    Rule: mqtt.md#reconnect.
    """

    def play(link: HostileConnection) -> None:
        link.greet()
        link.wait_event()
        match siege.ended % 3:
            case 0:
                link.send(DISCONNECT, b"\x8b\x00")  # the server shuts down
            case 1:
                link.stream.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: closing resets the connection
        link.close()

    siege.attack(f"{count} connections that end at once", *[play] * count, deadline_s=600)


@pytest.mark.soak
def test_publishes_without_an_answer(siege: Siege) -> None:
    """A minute after the first one the kiosk goes elsewhere."""

    def play(link: HostileConnection) -> None:
        link.is_answering_publishes = False
        link.greet()
        assert link.closed.wait(120), "the kiosk stays with a broker that answers no publish"

    siege.attack("publishes that nobody acknowledges", play, deadline_s=180)

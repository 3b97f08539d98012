"""Bad input from scanners and from the broker is refused clearly, in bounded memory, and the next scan counts."""

import json
import random
from typing import Any

import pytest

from harness.centre import retained
from harness.codes import badge, command, topic_level
from harness.indicator import Signalled
from harness.warehouse import BADGES, line, manifest
from harness.world import OK, World, refused

BATCH = 50
"""Scans in one write: about as many of the longest as a pseudo-terminal holds."""

ROOM_KIB = 24 * 1024
"""How much resident memory may grow; the floods below are several times as large."""


def random_scans(seed: int, count: int) -> list[bytes]:
    """Return byte strings without the terminator, none of them empty."""
    chance = random.Random(seed)
    alphabet = bytes(set(range(256)) - {ord("\r")})
    return [bytes(chance.choices(alphabet, k=chance.randint(1, 80))) for _ in range(count)]


def test_ten_thousand_random_byte_strings(world: World) -> None:
    """Rules: faults.md#garbage-and-floods, signals.md#one-signal-per-scan."""
    order, units = world.simple(2)
    station = world.opened(order)
    assert station.scan(units[0]) == OK
    scans = random_scans(20261122, 10_000)
    memory, disk = world.kiosk.resident_kib(), world.kiosk.disk_bytes()
    for at in range(0, len(scans), BATCH):
        for signalled in station.burst("left", *scans[at : at + BATCH]):
            assert signalled.signal == "reject"
            assert signalled.reason in ("unreadable", "unknown_code")
    assert world.kiosk.resident_kib() - memory < ROOM_KIB
    assert world.kiosk.disk_bytes() - disk < 8 * 1024 * 1024
    assert station.scan(units[1]) == Signalled("order_done", None)


def test_a_hundred_kilobytes_without_a_terminator_are_one_unreadable_scan(world: World) -> None:
    """Rules: faults.md#garbage-and-floods, scanning.md#unreadable-scans."""
    order, units = world.simple(1)
    station = world.opened(order)
    memory = world.kiosk.resident_kib()
    station.scanners["left"].write(b"4" * 100_000)
    station.scanners["left"].write(b"\r")
    assert station.indicator.next().signalled == refused("unreadable")
    assert station.scan(units[0], "left") == Signalled("order_done", None)
    assert world.kiosk.resident_kib() - memory < ROOM_KIB


@pytest.mark.parametrize(("length", "reason"), [(512, "unknown_code"), (513, "unreadable")])
def test_scan_of_the_greatest_length_is_read_and_no_longer_one(world: World, length: int, reason: str) -> None:
    """Rule: scanning.md#unreadable-scans."""
    order, _ = world.simple(1)
    station = world.opened(order)
    assert station.scan("X Y " * (length // 4) + "Z" * (length % 4)) == refused(reason)


def test_lone_terminators_are_nothing(world: World) -> None:
    """Rule: scanning.md#framing."""
    order, units = world.simple(2)
    station = world.opened(order)
    station.scanners["left"].write(b"\r\r\r")
    assert station.scan(units[0], "left") == OK
    station.scanners["left"].write(b"\r" + units[1].encode() + b"\r\r")
    assert station.indicator.next().signal == "order_done"
    assert station.scan(command("WHERE"), "left").signal == "where", "nothing more was shown"


FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.mark.parametrize(
    "scan",
    [
        "490154203237518".translate(FULL_WIDTH).encode(),
        "٤٩٠١٥٤٢٠٣٢٣٧٥١٨".encode(),
        b"\x1b[31m\x1b]0;owned\x07",
        b"490154203237518\x00",
        b"\x1d",
        b"\xff\xfe\xfd",
        "\u202e\u2066SO-1".encode(),
        b"SO-1\n\nlevel=error forged=1",
        b"]C1",
        b"]C18002",
        b"]d201",
        b"https://id.gs1.org/01/x/21/" + b"%" * 50,
        b"ZK",
        b"ZB",
        b"ZL",
    ],
)
def test_odd_bytes_are_refused_and_never_leave_the_kiosk_raw(world: World, scan: bytes) -> None:
    """Rule: scanning.md#control-characters."""
    order, units = world.simple(1)
    station = world.opened(order)
    mark = world.mark()
    signalled = station.scan(scan)
    assert signalled.signal == "reject"
    assert signalled.reason is not None
    # The consumer records a problem for an event with control characters.
    told = world.consumer.wait("scan.rejected", since=mark).data
    assert told.code.isprintable()
    world.check()
    assert "\x1b" not in world.kiosk.output()
    assert "\nlevel=error forged" not in world.kiosk.output()
    assert station.scan(units[0]) == Signalled("order_done", None)


def test_forged_commands_do_nothing(world: World) -> None:
    """Rules: faults.md#garbage-and-floods, scanning.md#command-barcodes, scanning.md#code-128-only."""
    order, units = world.simple(2)
    station = world.opened(order)
    station.scan(units[0])
    for verb in ("SAVE", "CANCEL", "OUT", "UNDO"):
        right = command(verb)
        wrong = [right[:-1] + last for last in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if last != right[-1]]
        assert set(station.scan_all(*wrong)) == {refused("unreadable")}
    assert station.scan(f"]d1{command('SAVE')}") == refused("wrong_barcode")
    assert station.scan(f"]E0{BADGES['E8']}").signal == "reject"
    assert station.scan(badge("STRANGER1")) == refused("badge_unknown")
    assert station.scan(command("EXPLODE")).signal == "reject"
    view = world.centre.wait_view(lambda view: view.order == order and view.scanned == 1)
    assert (view.state, view.operator) == ("scanning", "E7")
    assert station.scan(f"]C0{command('SAVE')}") == Signalled("boxed", None)


# -- from the broker ---------------------------------------------------------------------------------------------------


def bad_manifest(order: str, wrong: dict[str, Any]) -> dict[str, Any]:
    return {**manifest(order, line("1", "SKU-BAD", 1, units=[["490154203237518"]]), revision=9), **wrong}


def with_line(**more: Any) -> dict[str, Any]:
    return {"lines": [{**line("1", "SKU-BAD", 1), **more}]}


BAD_MANIFESTS: dict[str, dict[str, Any] | bytes] = {
    "not json": b"{",
    "not utf-8": b'{"order": "\xff"}',
    "a number": b"7",
    "a list": b"[]",
    "deeper than any parser": b"[" * 100_000,
    "a megabyte": json.dumps({"order": "x" * 1_000_000}).encode(),
    "NaN": b'{"revision": NaN}',
    "a lone surrogate": {"lines": [line("1", "\ud800", 1)]},
    "revision as text": {"revision": "9"},
    "revision as fraction": {"revision": 9.0},
    "revision as truth": {"revision": True},
    "revision of a thousand digits": b'{"revision": ' + b"9" * 5000 + b"}",
    "no revision": {"revision": None},
    "another order": {"order": "SO-SOMEBODY-ELSES"},
    "order as number": {"order": 7},
    "unknown status": {"status": "lost"},
    "unknown type": {"type": "gift"},
    "lines as object": {"lines": {}},
    "line as text": {"lines": ["1"]},
    "quantity zero": with_line(quantity=0),
    "quantity as text": with_line(quantity="1"),
    "quantity as truth": with_line(quantity=True),
    "sku as number": with_line(sku=7),
    "sku of 65 characters": with_line(sku="S" * 65),
    "unit as text": with_line(units=["490154203237518"]),
    "unit as number": with_line(units=[[490154203237518]]),
    "unit twice": with_line(quantity=2, units=[["490154203237518"], ["490154203237518"]]),
    "tac as number": with_line(tacs=[49015420]),
    "unknown flow": with_line(flow="gift"),
    "serialized as text": with_line(serialized="yes"),
    "line id twice": {"lines": [line("1", "A", 1), line("1", "B", 1)]},
    "501 lines": {"lines": [line(str(number), f"S{number}", 1) for number in range(501)]},
    "barcode of 65 characters": {"barcodes": ["B" * 65]},
    "barcodes as text": {"barcodes": "B"},
    "operators as list": {"operators": ["E7"]},
    "serial length backwards": with_line(serial_length=[12, 10]),
}


@pytest.mark.parametrize("bad", BAD_MANIFESTS.values(), ids=list(BAD_MANIFESTS))
def test_bad_manifest_is_refused_whole_and_named(world: World, bad: dict[str, Any] | bytes) -> None:
    """Rules: mqtt.md#refused-messages, mqtt.md#json-values."""
    order, units = world.simple(2)
    station = world.opened(order)
    world.centre.forget_views()
    content = bad if isinstance(bad, bytes) else bad_manifest(order, bad)
    world.centre.tell(f"order/{topic_level(order)}", content, check=False)
    world.centre.settle()
    topic = f"order/{topic_level(order)}"
    assert station.scan(units[0]) == OK, "the manifest of before stays"
    world.centre.wait_health(lambda health: topic in json.dumps(health), topic)
    assert topic in world.kiosk.output()


REFERENCES = ("reference/orders", "reference/operators", "reference/boxes", "reference/blocked/a", "agent/dock-3/ack",
              "agent/dock-3/verdict/V1", "reference/unheard/of", "order/%ZZ", "order/a%2fb", "order/%C3")  # fmt: skip

BAD_CONTENTS: list[object] = [
    b"{", b"\xff\xfe", b"null", b"7", b'"x"', b"[]", b"{}", b"[" * 100_000, b"x" * 1_000_000,
    {"revision": 10**9, "items": "E7"},
    {"revision": "1", "items": []},
    {"revision": 10**9, "items": [7]},
    {"revision": 10**9, "items": [{"operator": "e 7", "badges": ["B"]}]},
    {"revision": 10**9, "items": [{"code": "M", "length_mm": 0, "width_mm": -1, "height_mm": "2"}]},
    {"revision": 10**9, "orders": {"SO-1": "3"}},
    {"journal": "3F0C9A1B", "through": 42},
    {"journal": 1, "through": "000000000042"},
    {"revision": 1, "action": "explode", "order": "SO-1", "unit": "1", "reason": "x"},
]  # fmt: skip


def test_bad_references_acks_and_verdicts_change_nothing(world: World) -> None:
    """Rule: mqtt.md#refused-messages."""
    order, units = world.simple(2)
    station = world.opened(order)
    memory = world.kiosk.resident_kib()
    kept = retained(world.broker, "kiosk/#")
    for what in REFERENCES:
        for content in BAD_CONTENTS:
            world.centre.tell(what, content, check=False)
        world.centre.tell(what, None)
    world.centre.settle()
    assert world.kiosk.resident_kib() - memory < ROOM_KIB
    assert station.scan(units[0]) == OK
    assert station.scan_all(command("SAVE"), command("BOX", "M"), command("SAVE")) == [
        Signalled("boxed", None), OK, Signalled("saved", None),
    ]  # fmt: skip
    assert station.scan_all(BADGES["E8"], BADGES["E7"]) == [OK, OK]
    for topic in ("reference/operators", "reference/boxes"):
        world.centre.tell(topic, kept[f"kiosk/v1/rtm1/{topic}"])


BAD_REQUESTS = [b"", b"{", b"7", b"[]", b"{}", b"\xff", b'{"transaction": 7}', b'{"transaction": ""}', b"[" * 100_000,
                b'{"transaction": "a/+/#"}', b'{"transaction": "' + b"t" * 70_000 + b'"}']  # fmt: skip


def test_bad_requests_are_not_acted_on(world: World) -> None:
    """Rule: mqtt.md#requests."""
    order, units = world.simple(1)
    station = world.opened(order)
    for name in ("identify", "health", "resend", "reload", "shutdown"):
        for payload in BAD_REQUESTS:
            world.centre.publish(f"{world.centre.agent}/request/{name}", payload)
    for fields in (
        {}, {"journal": "nope", "from": "1", "through": "2"}, {"journal": 1, "from": 1, "through": 2},
        {"from": "000000000009", "through": "000000000001"},
    ):  # fmt: skip
        assert world.centre.request("resend", fields, check=False)["transaction"]
    assert station.scan(units[0]) == Signalled("order_done", None)

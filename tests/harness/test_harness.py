"""The harness itself, against a real broker and pseudo-terminals, with no daemon: a test is as good as its tools."""

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.centre import Centre, retained
from harness.certificates import issue
from harness.client import BrokerClient
from harness.codes import badge, command, gtin, imei, luhn_digit, mod_37_36, sscc, topic_level
from harness.consumer import Consumer
from harness.indicator import Signalled, SignalReader
from harness.models import event_of
from harness.scanner import PtyScanner, interleave
from harness.settings import toml
from harness.station import OperatorStation
from harness.waiting import DaemonEnded
from harness.warehouse import refusal_event


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as running:
        yield running


def test_check_characters_are_the_standards() -> None:
    assert imei("49015420", 323751) == "490154203237518"
    assert luhn_digit("894411006512345678") == "3"
    assert gtin("950600013435") == "9506000134352"
    assert gtin("01234567890") == "012345678905"
    assert sscc(1)[-1] == gtin(sscc(1)[:-1])[-1]
    assert len(sscc(1)) == 18
    # ISO/IEC 7064 gives A12425GABC1234002 with check character M.
    assert mod_37_36("A12425GABC1234002") == "M"
    assert command("SAVE")[:-1] == "ZKSAVE"
    assert badge("A1B2C3D4").startswith("ZBA1B2C3D4")
    assert topic_level("SO/2026.~é") == "SO%2F2026%2E%7E%C3%A9"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'"count":1', b'"count":"1"'),
        (b'"count":1', b'"count":1.0'),
        (b'"count":1', b'"count":1, "more":1'),
        (b'"clocksynced":true', b'"clocksynced":1'),
        (b'"unreadable"', b'"no such reason"'),
        (b'"code":"X"', b'"code":"\\u001b"'),
        (b".123Z", b".123+00:00"),
        (b'"sequence":"000000000001"', b'"sequence":"000000000002"'),
        (b"scan.rejected", b"scan.forgotten"),
    ],
)
def test_models_refuse_what_is_not_the_contract(was: bytes, becomes: bytes) -> None:
    good = refusal_event(1)
    assert event_of(good).kind == "scan.rejected"
    assert was in good
    with pytest.raises(ValueError, match="validation error"):
        event_of(good.replace(was, becomes))


class Publisher(BrokerClient):
    """A kiosk's part of the conversation, played by hand."""

    def topics(self) -> list[str]:
        return ["unused"]


TOPIC = "kiosk/v1/rtm1/agent/dock-3/event/scan"


def test_consumer_stores_once_sees_gaps_and_acknowledges_without_them(broker: Broker) -> None:
    with Consumer(broker) as consumer, Publisher(broker) as kiosk:
        documents = {n: refusal_event(n) for n in range(1, 6)}
        for number in (1, 2, 4, 2, 3, 5):
            kiosk.publish(TOPIC, documents[number])
        consumer.wait_until(lambda: consumer.through("/kiosk/rtm1/dock-3") == ("3F0C9A1B", 5), "five events")
        assert (consumer.gaps, consumer.repeats) == (1, 1)
        # Published by hand without MQTT's content type: each arrival is a problem, so problems are seen.
        assert len(consumer.problems) == 6
        assert "wrong content type, payload format" in consumer.problems[0]
        ack_topic = "kiosk/v1/rtm1/agent/dock-3/ack"
        acks: list[str] = []
        while '"000000000005"' not in "".join(acks):
            acks.append(retained(broker, ack_topic).get(ack_topic, b"").decode())
        consumer.restore(consumer.stored()[:2])
        assert consumer.through("/kiosk/rtm1/dock-3") == ("3F0C9A1B", 2)


def test_centre_reads_views_and_matches_answers_to_questions(broker: Broker) -> None:
    centre, kiosk = Centre(broker, kiosk="dock-3"), Publisher(broker)
    centre.start()
    kiosk.start()
    status = {
        "state": "online",
        "reason": None,
        "version": "1",
        "journal": "3F0C9A1B",
        "since": "2026-11-22T17:53:01.123Z",
        "connection": 1,
    }
    kiosk.publish(f"{centre.agent}/status", json.dumps(status), retain=True)
    assert centre.wait_status("online").journal == "3F0C9A1B"

    def answer(transaction: str) -> dict[str, object]:
        return {"transaction": transaction, "request": "reload", "ok": True}

    kiosk.publish(f"{centre.agent}/response/t1", json.dumps(answer("t1")))
    assert json.loads(centre.wait_answers("t1")[0]) == answer("t1")
    kiosk.publish(f"{centre.agent}/response/t2", json.dumps(answer("other")))
    kiosk.publish(f"{centre.agent}/response/t3", json.dumps(answer("t3")))
    centre.wait_answers("t3")
    assert len(centre.problems) == 1
    kiosk.publish(f"{centre.agent}/health", json.dumps({"time": "2026-11-22T17:53:01.123Z"}), retain=False)
    centre.wait_until(lambda: len(centre.problems) > 1, "a problem")
    assert "'uplink' is a required property" in "".join(centre.problems[1:]), "health is held to its schema"
    assert retained(broker, f"{centre.agent}/#") == {f"{centre.agent}/status": json.dumps(status).encode()}
    centre.stop()
    kiosk.stop()


def test_what_the_contract_forbids_is_published_only_on_purpose(broker: Broker) -> None:
    wrong = {"revision": "1", "orders": {}}
    with Centre(broker, kiosk="dock-3") as centre:
        with pytest.raises(AssertionError, match="the test publishes what the contract forbids"):
            centre.tell("reference/orders", wrong)
        with pytest.raises(AssertionError, match="the test publishes what the contract forbids"):
            centre.request("resend", {"journal": 1})
        assert retained(broker, "kiosk/#") == {}
        centre.tell("reference/orders", wrong, check=False)
        assert len(retained(broker, "kiosk/#")) == 1


def test_broker_forgets_when_killed_and_clients_come_back(broker: Broker) -> None:
    centre = Centre(broker, kiosk="dock-3")
    centre.start()
    centre.withdraw("SO-1")
    centre.tell("reference/orders", {"revision": 1, "orders": {}})
    assert len(retained(broker, "kiosk/#")) == 1
    broker.kill()
    broker.start()
    centre.wait_connected()
    assert retained(broker, "kiosk/#") == {}
    centre.stop()


def test_broker_keeps_its_memory_and_asks_for_password_over_tls(tmp_path: Path) -> None:
    broker = Broker(
        tmp_path / "broker",
        users={"centre": "secret", "other": "word"},
        acl="user centre\ntopic readwrite #\npattern readwrite end/#\n",
        certificates=issue(tmp_path / "certificates"),
        persistent=True,
    )
    with broker:
        centre = Centre(broker, kiosk="dock-3", user="centre")
        centre.start()
        centre.tell("reference/orders", {"revision": 1, "orders": {}})
        centre.stop()
        broker.stop()
        broker.start()
        assert list(retained(broker, "kiosk/#", user="centre")) == ["kiosk/v1/rtm1/reference/orders"]
        assert retained(broker, "kiosk/#", user="other") == {}


def exactly(fd: int, count: int) -> bytes:
    """So many bytes; a terminal hands on what it has, however little."""
    data = b""
    while len(data) < count:
        data += os.read(fd, count - len(data))
    return data


def test_scanners_interleave_and_survive_a_replug(tmp_path: Path) -> None:
    left, right = PtyScanner(tmp_path / "left"), PtyScanner(tmp_path / "right", terminator=b"\n")

    def opened(scanner: PtyScanner) -> int:
        return os.open(scanner.path, os.O_RDONLY | os.O_NOCTTY)

    ends = opened(left), opened(right)
    interleave((left, b"123\r"), (right, b"ABCDE\n"))
    assert [exactly(end, count) for end, count in zip(ends, (4, 6), strict=True)] == [b"123\r", b"ABCDE\n"]
    left.unplug()
    assert os.read(ends[0], 100) == b"", "a terminal whose other end is gone reads as ended"
    assert not left.path.exists()
    left.plug()
    again = opened(left)
    left.send("1", b"2")
    assert exactly(again, 4) == b"1\r2\r"
    for end in (*ends, again):
        os.close(end)
    left.close()
    right.close()


@pytest.mark.parametrize("kind", ["fifo", "file"])
def test_indicator_takes_each_line_once_and_notices_the_end(tmp_path: Path, kind: str) -> None:
    indicator = SignalReader(tmp_path / "signals", kind="fifo" if kind == "fifo" else "file")

    def line(signal: str) -> bytes:
        return json.dumps({"station": "1", "signal": signal, "reason": None, "monotonic_ns": 5}).encode() + b"\n"

    with (tmp_path / "signals").open("ab", buffering=0) as writer:
        writer.write(line("ok") + line("again") + line("saved")[:9])
        assert indicator.next().signalled == Signalled("ok", None)
        assert [shown.signal for shown in indicator.left()] == ["again"]
        writer.write(line("saved")[9:])
        assert indicator.next().signal == "saved"
    indicator.is_writer_alive = lambda: False
    with pytest.raises(DaemonEnded):
        indicator.next()
    indicator.close()


def test_station_sees_a_signal_that_no_scan_asked_for(tmp_path: Path) -> None:
    station = OperatorStation(tmp_path)
    station.indicator.path.write_text('{"station": "1", "signal": "alarm", "reason": null, "monotonic_ns": 5}\n')
    with pytest.raises(AssertionError, match="shown without a scan"):
        station.scan("X")
    station.close()


def test_settings_become_toml() -> None:
    settings = {"kiosk": {"id": "a", "deep": {"n": 1}}, "station": [{"id": "1", "scanner": [{"x": "\\"}, {"y": True}]}]}
    assert tomllib.loads(toml(settings)) == settings

"""The uplink against a scripted broker: what it sends, and how it reacts to every answer."""

import json
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.contract.topics import MessageKind
from agent.errors import JournalFault
from agent.uplink.uplink_settings import BrokerSettings, Confirm
from harness.mqtt_packets import (
    CONNECT,
    CONTENT_TYPE,
    DISCONNECT,
    MAXIMUM_PACKET_SIZE,
    MAXIMUM_QOS,
    MESSAGE_EXPIRY,
    PUBACK,
    PUBLISH,
    RECEIVE_MAXIMUM,
    RETAIN_AVAILABLE,
    SUBACK,
    SUBSCRIBE,
    UNSUBSCRIBE,
)
from harness.played_broker import PlayedBroker
from tests.uplink.kiosk_uplink import QUICK, KioskUplink, LockedJournal, running

AGENT = "kiosk/v1/rtm1/agent/dock-3"
SITE = "kiosk/v1/rtm1"


def ack_of(journal: LockedJournal, sequence: int, *, name: str | None = None) -> bytes:
    return json.dumps({"journal": name or journal.journal, "through": f"{sequence:012d}"}).encode()


# -- connecting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("protocol", "level"), [(5, 5), (311, 4)])
def test_connects_clean_with_its_id_account_and_will(protocol: int, level: int) -> None:
    """(`mqtt.md#connection`, `mqtt.md#status`)"""
    with PlayedBroker(v5=protocol == 5) as peer, running(KioskUplink(peer.port, protocol=protocol)):
        body = peer.accept().expect(CONNECT).body
        assert body[:7] == b"\0\4MQTT" + bytes([level])
        flags = body[7]
        assert flags == 0b1110_1110, "user, password, will retained at QoS 1, clean start"
        assert body[8:10] == (30).to_bytes(2), "keep alive"
        for text in (b"kiosk-rtm1-dock-3", b"dock-3", b"secret", AGENT.encode() + b"/status"):
            assert len(text).to_bytes(2) + text in body
        assert b'"state":"offline","reason":"connection lost","version":"1.2.3","journal":"AAAAAAAA"' in body


def test_says_online_and_subscribes_to_everything_at_every_connect() -> None:
    """(`mqtt.md#connection`, `mqtt.md#status`, `mqtt.md#topics-and-qos`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        for number in (1, 2):
            broker = peer.accept()
            broker.expect(CONNECT)
            broker.connack()
            subscribed = broker.expect(SUBSCRIBE)
            status = broker.expect_publish(f"{AGENT}/status")
            assert status.retain
            document = json.loads(status.payload)
            assert document["since"].endswith("Z")
            assert {**document, "since": None} == {
                "state": "online",
                "reason": None,
                "version": "1.2.3",
                "journal": "AAAAAAAA",
                "since": None,
                "connection": number,
            }
            assert {topic for topic, _ in subscribed.filters} == {
                f"{AGENT}/ack",
                f"{AGENT}/request/+",
                f"{AGENT}/verdict/+",
                f"{SITE}/order/+",
                f"{SITE}/counted/+/+",
                f"{SITE}/reference/orders",
                f"{SITE}/reference/orders/+",
                f"{SITE}/reference/operators",
                f"{SITE}/reference/boxes",
                f"{SITE}/reference/blocked/+",
            }
            assert {options & 0b11 for _, options in subscribed.filters} == {1}, "QoS"
            broker.suback(subscribed)
            kiosk.until(lambda: kiosk.uplink.health().online)
            broker.close()


def test_a_broker_that_refuses_is_explained_and_tried_again() -> None:
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack(0x87)
        kiosk.until(lambda: "Not authorized" in kiosk.error)
        assert "secret" not in kiosk.error
        peer.accept().welcome()
        kiosk.until(lambda: kiosk.uplink.health().online)
        assert kiosk.error == ""


def test_an_old_broker_that_refuses_is_explained() -> None:
    with PlayedBroker(v5=False) as peer, running(KioskUplink(peer.port, protocol=311)) as kiosk:
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack(5)
        kiosk.until(lambda: "Not authorized" in kiosk.error)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [(bytes([MAXIMUM_QOS, 0]), "QoS 1"), (bytes([RETAIN_AVAILABLE, 0]), "retained")],
)
def test_a_broker_without_a_needed_feature_is_explained(properties: bytes, expected: str) -> None:
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack(properties=properties)
        kiosk.until(lambda: expected in kiosk.error)


def test_a_broker_that_never_sends_a_connack_is_given_up() -> None:
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        silent = peer.accept()
        kiosk.until(lambda: "does not answer" in kiosk.error)
        silent.expect_closed()
        peer.accept().welcome()
        kiosk.until(lambda: kiosk.uplink.health().online)


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x20\x01\x00",
        b"\x20\x05\x00\x00\x02\x99\x99",
        b"\x20\xff\xff\xff\xff\xff",
        b"\xf0\x00",
        b"\x40\x03\x00\x01\xee",
        b"\x00" * 64,
    ],
)
@pytest.mark.parametrize("online", [False, True])
def test_a_peer_that_sends_garbage_is_left_and_tried_again(garbage: bytes, online: bool) -> None:
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        if online:
            broker.welcome()
            kiosk.until(lambda: kiosk.uplink.health().online)
        else:
            broker.expect(CONNECT)
        broker.send_raw(garbage)
        broker.close()
        peer.accept().welcome()
        kiosk.until(lambda: kiosk.uplink.health().online)


def test_a_peer_that_closes_inside_a_packet_is_tried_again() -> None:
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        broker.send_raw(b"\x30\x40\x00\x10half")
        broker.close()
        peer.accept().welcome()
        kiosk.until(lambda: kiosk.uplink.health().online)


def test_after_a_takeover_the_kiosk_waits_and_reports_a_duplicate() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        kiosk.until(lambda: kiosk.uplink.health().online)
        broker.send(DISCONNECT, b"\x8e\x00")
        kiosk.until(lambda: kiosk.uplink.health().situation.duplicate_id)
        situation = kiosk.uplink.health().situation
        assert not situation.online
        assert situation.state == "staying away"
        peer.accept().welcome()
        kiosk.until(lambda: kiosk.uplink.health().online)
        assert kiosk.uplink.health().situation.duplicate_id
        kiosk.until(lambda: not kiosk.uplink.health().situation.duplicate_id)


def test_several_short_sessions_without_a_reason_are_a_duplicate_too() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    with PlayedBroker(v5=False) as peer, running(KioskUplink(peer.port, protocol=311)) as kiosk:
        for _ in range(3):
            assert not kiosk.uplink.health().situation.duplicate_id
            broker = peer.accept()
            broker.welcome()
            kiosk.until(lambda: kiosk.uplink.health().online)
            broker.close()
            kiosk.until(lambda: not kiosk.uplink.health().online)
        assert not kiosk.uplink.health().situation.duplicate_id
        fourth = peer.accept()
        fourth.expect(CONNECT)
        fourth.connack()
        kiosk.until(lambda: kiosk.uplink.health().situation.duplicate_id)
        fourth.expect_closed()


@pytest.mark.parametrize("protocol", [5, 311])
def test_a_broker_that_is_killed_and_restarted_is_no_duplicate(protocol: int) -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    timing = replace(QUICK, duplicate_wait_s=60.0)
    with PlayedBroker() as first:
        port = first.port
    with running(KioskUplink(port, protocol=protocol, timing=timing)) as kiosk:
        for _ in range(5):
            with PlayedBroker(v5=protocol == 5, port=port) as peer:
                peer.accept().welcome()
                kiosk.until(lambda: kiosk.uplink.health().online)
            kiosk.until(lambda: "nothing listens" in kiosk.error)
        assert not kiosk.uplink.health().situation.duplicate_id


def test_short_sessions_are_no_duplicate_if_the_broker_would_say_so() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        for _ in range(5):
            broker = peer.accept()
            broker.welcome()
            kiosk.until(lambda: kiosk.uplink.health().online)
            broker.close()
            kiosk.until(lambda: not kiosk.uplink.health().online)
        assert not kiosk.uplink.health().situation.duplicate_id


def test_a_broker_that_restarts_now_and_then_is_no_duplicate() -> None:
    timing = replace(QUICK, stable_s=0.0)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, timing=timing)) as kiosk:
        for _ in range(4):
            broker = peer.accept()
            broker.welcome()
            kiosk.until(lambda: kiosk.uplink.health().online)
            broker.close()
        assert not kiosk.uplink.health().situation.duplicate_id


def test_the_hosts_are_tried_in_turn() -> None:
    """(`settings.md#broker`)"""
    with socket.socket() as closed, PlayedBroker() as peer:
        closed.bind(("127.0.0.1", 0))
        with running(KioskUplink(closed.getsockname()[1], peer.port)) as kiosk:
            peer.accept().welcome()
            kiosk.until(lambda: kiosk.uplink.health().situation.host == f"127.0.0.1:{peer.port}")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 80 + ".invalid"])
def test_a_host_that_cannot_be_found_is_explained(host: str) -> None:
    settings = BrokerSettings(hosts=((host, 1883),), tls=False)
    with running(KioskUplink(broker=settings)) as kiosk:
        kiosk.until(lambda: host in kiosk.error)


# -- events ----------------------------------------------------------------------------------------------------------


def test_events_go_out_in_sequence_and_the_ack_delivers() -> None:
    """(`mqtt.md#journal-is-the-outbox`, `mqtt.md#event-documents`, `mqtt.md#acknowledgement`)"""
    journal = LockedJournal(events=2)
    journal.commit(type_="box.created")
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        for event, topic in zip(journal.events, ("scan", "scan", "box"), strict=True):
            packet = broker.expect_publish(f"{AGENT}/event/{topic}")
            assert packet.payload == event.document
            assert not packet.retain
            assert packet.properties == b"\x01\x01" + bytes([CONTENT_TYPE]) + b"\0\x1capplication/cloudevents+json"
        broker.publish(f"{AGENT}/ack", ack_of(journal, 2))
        kiosk.until(lambda: kiosk.delivered == [2])
        health = kiosk.uplink.health()
        assert (health.backlog, health.acked, health.sent, health.acked_sequence) == (1, 2, 3, 2)


def test_later_events_follow_when_woken() -> None:
    journal = LockedJournal()
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        broker.publish(f"{AGENT}/ack", ack_of(journal, 0))
        for _ in range(3):
            event = journal.commit()
            kiosk.uplink.wake()
            assert broker.expect_publish("/event/scan").payload == event.document


def test_the_retained_ack_is_awaited() -> None:
    """(`mqtt.md#acknowledgement`)"""
    journal = LockedJournal(events=3)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as kiosk:
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack()
        broker.publish(f"{AGENT}/ack", ack_of(journal, 2), retain=True)
        broker.suback(broker.expect(SUBSCRIBE))
        broker.expect_publish("/status")
        assert broker.expect_publish("/event/scan").payload == journal.events[2].document
        kiosk.until(lambda: kiosk.delivered == [2])


def test_an_invalid_ack_is_refused_and_named() -> None:
    journal = LockedJournal(events=1)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        broker.publish(f"{AGENT}/ack", b'{"journal": 7}', retain=True)
        broker.expect_publish("/event/scan")
        kiosk.until(lambda: f"{AGENT}/ack" in kiosk.error)
        assert kiosk.delivered == []


def test_no_more_events_are_in_flight_than_the_broker_takes() -> None:
    """(`mqtt.md#journal-is-the-outbox`)"""
    journal = LockedJournal(events=5)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)):
        broker = peer.accept()
        broker.welcome(properties=bytes([RECEIVE_MAXIMUM, 0, 2]))
        first = broker.expect_publish("/event/scan", answer=None)
        second = broker.expect_publish("/event/scan", answer=None)
        broker.expect_quiet()
        broker.puback(first)
        third = broker.expect_publish("/event/scan", answer=None)
        broker.expect_quiet()
        broker.puback(third)
        broker.puback(second)
        broker.expect_publish("/event/scan")
        broker.expect_publish("/event/scan")


def test_a_broker_that_takes_one_at_a_time_gets_everything() -> None:
    journal = LockedJournal(events=3)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as one:
        one.uplink.publish_view("station/1", b"{}")
        broker = peer.accept()
        broker.welcome(properties=bytes([RECEIVE_MAXIMUM, 0, 1]))
        seen: list[str] = []
        while len(seen) < 4:
            packet = broker.expect(PUBLISH)
            broker.expect_quiet()
            broker.puback(packet)
            seen.append(packet.topic.rsplit("/", 2)[-2])
        assert sorted(seen) == ["event", "event", "event", "station"]


def test_a_refused_event_is_in_health_and_tried_again() -> None:
    """(`mqtt.md#refused-publish`)"""
    journal = LockedJournal(events=1)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal, confirm=Confirm.BROKER)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        broker.expect_publish("/event/scan", answer=0x97)
        again = broker.expect_publish("/event/scan")
        assert again.payload == journal.events[0].document
        kiosk.until(lambda: kiosk.delivered == [1])
        health = kiosk.uplink.health()
        assert health.refusals == 1
        assert health.situation.last_refusal == "an event: Quota exceeded"


def test_with_no_subscriber_health_says_no_consumer_until_there_is_one() -> None:
    """(`mqtt.md#broker-confirmation`)"""
    journal = LockedJournal(events=1)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal, confirm=Confirm.BROKER)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        broker.expect_publish("/event/scan", answer=0x10)
        kiosk.until(lambda: kiosk.uplink.health().situation.no_consumer)
        assert kiosk.delivered == []
        broker.expect_publish("/event/scan")
        kiosk.until(lambda: kiosk.delivered == [1])
        kiosk.until(lambda: not kiosk.uplink.health().situation.no_consumer)


def test_an_event_too_large_for_the_broker_is_not_sent_and_stops_nothing() -> None:
    """(`mqtt.md#refused-publish`)"""
    journal = LockedJournal()
    journal.commit(padding=2000)
    small = journal.commit()
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as kiosk:
        broker = peer.accept()
        broker.welcome(properties=bytes([MAXIMUM_PACKET_SIZE]) + (1000).to_bytes(4))
        assert broker.expect_publish("/event/scan").payload == small.document
        kiosk.until(lambda: "Packet too large" in (kiosk.uplink.health().situation.last_refusal or ""))


def test_a_broker_that_never_answers_is_disconnected() -> None:
    journal = LockedJournal(events=1)
    timing = replace(QUICK, stall_s=0.1)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal, timing=timing)):
        broker = peer.accept()
        broker.welcome()
        broker.expect_publish("/event/scan", answer=None)
        broker.expect_closed()
        again = peer.accept()
        again.welcome()
        again.expect_publish("/event/scan")


@pytest.mark.parametrize("what", ["status", "view", "response", "resend"])
def test_a_publish_of_any_kind_that_is_never_answered_ends_the_connection(what: str) -> None:
    """(`mqtt.md#unanswered-publish`)"""
    journal = LockedJournal(events=0 if what != "resend" else 3)
    with (
        PlayedBroker() as peer,
        running(KioskUplink(peer.port, journal=journal, timing=replace(QUICK, stall_s=0.2))) as kiosk,
    ):
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack(properties=bytes([RECEIVE_MAXIMUM, 0, 1]) if what == "status" else b"")
        subscribed = broker.expect(SUBSCRIBE)
        broker.expect_publish("/status", answer=None if what == "status" else 0)
        broker.suback(subscribed)
        if what == "view":
            kiosk.uplink.publish_view("station/1", b"{}")
            broker.expect_publish("/station/1", answer=None)
        elif what == "response":
            kiosk.uplink.respond("t1", b"{}")
            broker.expect_publish("/response/t1", answer=None)
        elif what == "resend":
            broker.publish(f"{AGENT}/ack", ack_of(journal, 3), retain=True)
            kiosk.until(lambda: kiosk.delivered == [3])
            kiosk.uplink.resend(1, 1)
            broker.expect_publish("/event/scan", answer=None)
        broker.expect_closed()
        kiosk.until(lambda: "does not acknowledge" in kiosk.error)
        peer.accept().welcome()


def test_answers_to_other_publishes_do_not_hide_one_that_is_missing() -> None:
    """(`mqtt.md#unanswered-publish`)"""
    timing = replace(QUICK, stall_s=0.5)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=LockedJournal(), timing=timing)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        kiosk.journal.commit()
        kiosk.uplink.wake()
        broker.expect_publish("/event/scan", answer=None)
        with suppress(ConnectionError):
            while True:
                kiosk.journal.commit()
                kiosk.uplink.wake()
                broker.expect_publish("/event/scan")
        kiosk.until(lambda: "does not acknowledge" in kiosk.error)


def test_a_refused_subscription_is_tried_again() -> None:
    """(`mqtt.md#refused-subscription`)"""
    with PlayedBroker(v5=False) as peer, running(KioskUplink(peer.port, protocol=311)) as kiosk:
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack()
        subscribed = broker.expect(SUBSCRIBE)
        broker.expect_publish("/status")
        count = len(subscribed.filters)
        broker.send(SUBACK, subscribed.identifier.to_bytes(2) + bytes([0x80]) + bytes([1]) * (count - 1))
        for _ in range(3):
            again = broker.expect(SUBSCRIBE)
            assert [topic for topic, _ in again.filters] == [f"{AGENT}/ack"]
            broker.suback(again, 0x80)
            assert len(kiosk.uplink.health().situation.refused_subscriptions) == 1
        broker.suback(broker.expect(SUBSCRIBE))
        kiosk.until(lambda: not kiosk.uplink.health().situation.refused_subscriptions)
        broker.expect_quiet()


def test_a_suback_that_leaves_filters_out_is_a_refusal_of_them() -> None:
    """(`mqtt.md#refused-subscription`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack()
        subscribed = broker.expect(SUBSCRIBE)
        broker.expect_publish("/status")
        broker.send(SUBACK, subscribed.identifier.to_bytes(2) + b"\0\x01")
        again = broker.expect(SUBSCRIBE)
        assert again.filters == subscribed.filters[1:]
        broker.suback(again)
        kiosk.until(lambda: not kiosk.uplink.health().situation.refused_subscriptions)


def test_after_ack_was_refused_for_a_while_the_next_broker_is_tried() -> None:
    """(`mqtt.md#refused-subscription`)"""
    timing = replace(QUICK, stable_s=0.0, ack_refused_s=0.2)
    with (
        PlayedBroker() as deaf,
        PlayedBroker() as other,
        running(KioskUplink(deaf.port, other.port, timing=timing)) as kiosk,
    ):
        broker = deaf.accept()
        broker.expect(CONNECT)
        broker.connack()
        subscribed = broker.expect(SUBSCRIBE)
        broker.expect_publish("/status")
        broker.suback(subscribed, 0x87)
        other.accept().welcome()
        kiosk.until(lambda: kiosk.uplink.health().online)
        assert kiosk.uplink.health().situation.host == f"127.0.0.1:{other.port}"


def test_a_subscription_that_is_never_answered_ends_the_connection() -> None:
    """(`mqtt.md#refused-subscription`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port, timing=replace(QUICK, stall_s=0.2))) as kiosk:
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack()
        broker.expect(SUBSCRIBE)
        broker.expect_publish("/status")
        broker.expect_closed()
        kiosk.until(lambda: "does not answer a subscription" in kiosk.error)


def test_the_password_is_read_again_before_each_connect(tmp_path: Path) -> None:
    """(`settings.md#renewed-secrets`)"""
    file = tmp_path / "password"
    file.write_text("old\n")
    with PlayedBroker() as peer:
        broker_settings = BrokerSettings(
            hosts=(("127.0.0.1", peer.port),),
            username="dock-3",
            read_password=lambda: file.read_text().strip(),
            tls=False,
        )
        with running(KioskUplink(broker=broker_settings)) as kiosk:
            broker = peer.accept()
            assert broker.expect(CONNECT).body.endswith(b"\0\x03old")
            file.unlink()
            broker.connack(0x87)
            kiosk.until(lambda: "the password cannot be read" in kiosk.error)
            file.write_text("new\n")
            assert peer.accept().expect(CONNECT).body.endswith(b"\0\x03new")


def test_the_number_of_the_connection_rises_and_is_in_status_views_and_will() -> None:
    """(`mqtt.md#connection-number`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        kiosk.uplink.publish_view("station/1", lambda connection: b'{"connection":%d}' % connection)
        for number in (1, 2, 3):
            broker = peer.accept()
            assert b'"connection":%d}' % number in broker.expect(CONNECT).body, "the will"
            broker.connack()
            broker.expect(SUBSCRIBE)
            assert json.loads(broker.expect_publish("/status").payload)["connection"] == number
            assert json.loads(broker.expect_publish("/station/1").payload)["connection"] == number
            broker.close()


@pytest.mark.parametrize("protocol", [5, 311])
def test_an_oversize_message_is_discarded_acknowledged_and_named(protocol: int) -> None:
    """(`mqtt.md#oversize-messages`)"""
    v5 = protocol == 5
    with PlayedBroker(v5=v5) as peer, running(KioskUplink(peer.port, protocol=protocol)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        topic = f"{SITE}/order/BIG".encode()
        body = len(topic).to_bytes(2) + topic + b"\x00\x09" + (b"\0" if v5 else b"") + bytes(5_000_000)
        broker.send(PUBLISH, body, flags=0b0011)
        assert broker.expect(PUBACK).body[:2] == b"\x00\x09"
        broker.publish(f"{SITE}/order/SO-1", b"{}", retain=True)
        kiosk.until(lambda: len(kiosk.inbound) == 2)
        large, small = kiosk.inbound
        assert (large.id, large.payload, large.retained, large.discarded_bytes) == ("BIG", b"", True, 5_000_000)
        assert (small.payload, small.discarded_bytes) == (b"{}", 0)
        assert kiosk.uplink.health().online


def test_an_oversize_message_that_takes_longer_than_the_keep_alive_does_not_end_the_connection() -> None:
    """(`mqtt.md#oversize-messages`)"""
    with PlayedBroker() as peer:
        broker_settings = BrokerSettings(hosts=(("127.0.0.1", peer.port),), tls=False, keepalive_s=1)
        with running(KioskUplink(broker=broker_settings)) as kiosk:
            broker = peer.accept()
            broker.welcome()
            topic = f"{SITE}/order/BIG".encode()
            size = 1_000_000
            start = len(topic).to_bytes(2) + topic + b"\0"
            length = len(start) + size
            broker.send_raw(b"\x30" + bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14]) + start)
            for _ in range(35):
                time.sleep(0.1)
                broker.send_raw(bytes(size // 40))
            broker.send_raw(bytes(size - 35 * (size // 40)))
            kiosk.until(lambda: len(kiosk.inbound) == 1)
            assert kiosk.inbound[0].discarded_bytes == size
            assert kiosk.uplink.health().online


def test_a_message_at_qos_2_closes_the_connection() -> None:
    """(`mqtt.md#oversize-messages`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        broker.send(PUBLISH, b"\x00\x01t\x00\x09\x00{}", flags=0b0100)
        broker.expect_closed()
        kiosk.until(lambda: "QoS 2" in kiosk.error)
        peer.accept().welcome()


def test_after_a_broker_that_never_answers_the_next_host_is_tried() -> None:
    journal = LockedJournal(events=1)
    timing = replace(QUICK, stable_s=0.0, stall_s=0.1)
    with (
        PlayedBroker() as silent,
        PlayedBroker() as other,
        running(KioskUplink(silent.port, other.port, journal=journal, timing=timing)),
    ):
        broker = silent.accept()
        broker.welcome()
        broker.expect_publish("/event/scan", answer=None)
        broker.expect_closed()
        next_one = other.accept()
        next_one.welcome()
        next_one.expect_publish("/event/scan")


def test_an_unreadable_journal_is_in_health_and_tried_again() -> None:
    journal = LockedJournal(events=1)
    journal.broken = JournalFault("segment 3: input/output error")
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        kiosk.until(lambda: "segment 3" in kiosk.error)
        journal.broken = None
        broker.expect_publish("/event/scan")
        kiosk.until(lambda: kiosk.error == "")


def test_an_old_copy_is_reported_and_continues_under_a_new_id() -> None:
    """(`mqtt.md#rolled-back-journal`, `mqtt.md#verdicts`)"""
    journal = LockedJournal(events=1)
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        broker.publish(f"{AGENT}/ack", ack_of(journal, 9))
        kiosk.until(lambda: len(kiosk.rolled_back) >= 2)
        assert set(kiosk.rolled_back) == {journal.head().journal}
        assert kiosk.uplink.health().situation.rolled_back
        journal.start_over("BBBBBBBB")
        new = journal.commit()
        kiosk.uplink.wake()
        asked = broker.expect(SUBSCRIBE)  # verdicts are to be taken again under the new id
        assert f"{AGENT}/verdict/+" in [topic for topic, _ in asked.filters]
        broker.suback(asked)
        status = broker.expect_publish("/status")
        assert json.loads(status.payload)["journal"] == "BBBBBBBB"
        old = broker.expect_publish("/event/scan", answer=None)
        assert old.payload == journal.events[0].document
        broker.expect_quiet()
        broker.puback(old)
        assert broker.expect_publish("/event/scan").payload == new.document
        broker.publish(f"{AGENT}/ack", ack_of(journal, 1))
        kiosk.until(lambda: kiosk.delivered == [2])


def test_delivered_events_can_be_sent_again() -> None:
    """(`mqtt.md#requests`)"""
    journal = LockedJournal(events=4)
    journal.delivered = 4
    with PlayedBroker() as peer, running(KioskUplink(peer.port, journal=journal)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        kiosk.uplink.resend(2, 3)
        assert broker.expect_publish("/event/scan").payload == journal.events[1].document
        assert broker.expect_publish("/event/scan").payload == journal.events[2].document
        broker.expect_quiet()


# -- views and answers -----------------------------------------------------------------------------------------------


def test_views_are_retained_and_published_again_at_every_connect() -> None:
    """(`mqtt.md#station-view`, `mqtt.md#health`, `mqtt.md#connection`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        kiosk.uplink.publish_view("station/1", b"old")
        kiosk.uplink.publish_view("station/1", b"new")
        kiosk.uplink.publish_view("health", b"{}", expiry_s=90)
        for _ in range(2):
            broker = peer.accept()
            broker.welcome()
            views = {packet.topic: packet for packet in (broker.expect_publish(""), broker.expect_publish(""))}
            assert views[f"{AGENT}/station/1"].payload == b"new"
            assert bytes([MESSAGE_EXPIRY]) + (90).to_bytes(4) in views[f"{AGENT}/health"].properties
            assert all(packet.retain for packet in views.values())
            broker.close()


def test_a_response_goes_to_its_transaction() -> None:
    """(`mqtt.md#requests`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        kiosk.uplink.respond("t/1", b"{}")
        broker = peer.accept()
        broker.welcome()
        packet = broker.expect_publish(f"{AGENT}/response/t%2F1")
        assert packet.payload == b"{}"
        assert not packet.retain


# -- from the centre -------------------------------------------------------------------------------------------------


def test_messages_of_the_centre_are_passed_on() -> None:
    """(`mqtt.md#requests`, `mqtt.md#order-ids-in-topics`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        broker.publish(f"{SITE}/order/SO%2F1", b"{1}", retain=True)
        broker.publish(f"{SITE}/order/SO.1", b"{3}")
        broker.publish(b"\xff\xfe", b"dropped")
        broker.publish("somewhere/else", b"dropped")
        broker.publish(f"{AGENT}/request/reload", b"old", retain=True)
        broker.publish(f"{AGENT}/request/identify", b"{2}")
        kiosk.until(lambda: len(kiosk.inbound) == 3)
        order, misnamed, request = kiosk.inbound
        assert (order.kind, order.id, order.payload, order.retained) == (MessageKind.ORDER, "SO/1", b"{1}", True)
        assert (misnamed.kind, misnamed.id, misnamed.topic) == (MessageKind.ORDER, "", f"{SITE}/order/SO.1"), (
            "to be refused"
        )
        assert (request.kind, request.id, request.payload) == (MessageKind.REQUEST, "identify", b"{2}")


def test_a_refused_subscription_is_in_health() -> None:
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.expect(CONNECT)
        broker.connack()
        broker.suback(broker.expect(SUBSCRIBE), 0x87)
        broker.expect_publish("/status")
        kiosk.until(lambda: len(kiosk.uplink.health().situation.refused_subscriptions) == 10)
        assert f"{AGENT}/ack: Not authorized" in kiosk.uplink.health().situation.refused_subscriptions


def test_orders_are_fetched_by_subscriptions_that_end_again() -> None:
    """(`mqtt.md#order-index`)"""
    with PlayedBroker() as peer, running(KioskUplink(peer.port)) as kiosk:
        broker = peer.accept()
        broker.welcome()
        kiosk.uplink.fetch(["SO-1", "SO/2"])
        asked = broker.expect(SUBSCRIBE)
        assert [topic for topic, _ in asked.filters] == [f"{SITE}/order/SO-1", f"{SITE}/order/SO%2F2"]
        broker.suback(asked)
        broker.publish(f"{SITE}/order/SO%2F2", b"{}", retain=True)
        assert [topic for topic, _ in broker.expect(UNSUBSCRIBE).filters] == [f"{SITE}/order/SO%2F2"]
        assert [topic for topic, _ in broker.expect(UNSUBSCRIBE).filters] == [f"{SITE}/order/SO-1"], "given up"
        assert [inbound.id for inbound in kiosk.inbound] == ["SO/2"]


# -- stopping --------------------------------------------------------------------------------------------------------


def test_a_clean_stop_publishes_offline_first() -> None:
    """(`mqtt.md#status`)"""
    with PlayedBroker() as peer:
        kiosk = KioskUplink(peer.port)
        kiosk.uplink.start()
        broker = peer.accept()
        broker.welcome()
        kiosk.until(lambda: kiosk.uplink.health().online)
        broker.publish(f"{AGENT}/verdict/V1", b"{}")
        kiosk.until(lambda: len(kiosk.inbound) == 1)
        stopper = threading.Thread(target=lambda: kiosk.uplink.stop(reason="upgrade", timeout_s=5.0))
        stopper.start()
        status = json.loads(broker.expect_publish("/status").payload)
        assert (status["state"], status["reason"]) == ("offline", "upgrade")
        broker.expect(DISCONNECT)
        stopper.join(5.0)
        assert not stopper.is_alive()
        assert kiosk.uplink.health().situation.state == "stopped"


def test_a_stop_is_quick_while_nothing_can_be_reached() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        kiosk = KioskUplink(closed.getsockname()[1])
        kiosk.uplink.start()
        kiosk.until(lambda: "nothing listens" in kiosk.error)
        kiosk.uplink.stop(reason="upgrade", timeout_s=5.0)
        kiosk.uplink.stop(reason="again", timeout_s=5.0)
        assert kiosk.uplink.health().situation.state == "stopped"


# -- what a stop leaves behind ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("started", [False, True])
def test_close_closes_every_descriptor(started: bool) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with PlayedBroker() as peer:
        listening = set(os.listdir("/proc/self/fd"))
        kiosk = KioskUplink(peer.port)
        assert set(os.listdir("/proc/self/fd")) > listening
        if started:
            kiosk.uplink.start()
            kiosk.uplink.stop(reason="the test is over", timeout_s=1.0)
        kiosk.uplink.close()
        kiosk.uplink.close()
        kiosk.uplink.wake()
    assert set(os.listdir("/proc/self/fd")) == before

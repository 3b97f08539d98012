"""The connection to a broker: what goes through it, and every way in which a broker fails."""

import asyncio
import logging
import os
import signal
from pathlib import Path

import pytest

from centre.centre_errors import LinkDown
from centre.link.broker_link import PublishRefused
from centre.link.link_settings import LinkTiming, QueueBounds
from centre.link.mqtt_link import MqttLink, ceiling_s
from centre.link.received import LARGEST_PAYLOAD
from harness.broker import Broker
from harness.certificates import issue
from harness.mqtt_packets import CONNECT, MAXIMUM_PACKET_SIZE, PUBLISH, SUBSCRIBE, encode_text
from harness.played_broker import PlayedConnection, ScriptedBroker
from tests.centre.link.rig import linked, run_async, settings_for, until

EVENT = "kiosk/v1/rtm1/agent/dock-3/event/scan"
STATUS = "kiosk/v1/rtm1/agent/dock-3/status"


async def publish_all(link: MqttLink, topic: str, payloads: list[bytes]) -> None:
    await asyncio.gather(*(link.publish(topic, payload, retain=False) for payload in payloads))


# -- a broker that works ---------------------------------------------------------------------------------------------


def test_messages_come_in_order_with_their_retain_flag(broker: Broker, protocol: int) -> None:
    async def test() -> None:
        async with linked(settings_for(broker.port, protocol=protocol)) as rig:
            payloads = [b"%d" % number for number in range(3000)]
            await publish_all(rig.link, EVENT, payloads)
            await rig.got(3000)
            assert [one.payload for one in rig.received] == payloads
            assert {(one.broker, one.topic, one.retained) for one in rig.received} == {
                (f"127.0.0.1:{broker.port}", EVENT, False)
            }
            await rig.link.publish(STATUS, b"online", retain=True)
        async with linked(settings_for(broker.port, protocol=protocol)) as rig:
            await rig.got(1)
            assert (rig.received[0].payload, rig.received[0].retained) == (b"online", True)

    run_async(test())


def test_only_what_kiosks_publish_is_subscribed_to(broker: Broker) -> None:
    async def test() -> None:
        async with linked(settings_for(broker.port)) as rig:
            for rest in ("ack", "verdict/1", "request/reload"):
                await rig.link.publish(f"kiosk/v1/rtm1/agent/dock-3/{rest}", b"x", retain=False)
            await rig.link.publish("kiosk/v1/other/agent/dock-3/status", b"x", retain=False)
            for rest in ("status", "health", "station/1", "response/t", "event/box"):
                await rig.link.publish(f"kiosk/v1/rtm1/agent/dock-3/{rest}", b"x", retain=False)
            await rig.got(5)
            assert [one.topic.split("/")[5] for one in rig.received] == [
                "status", "health", "station", "response", "event",
            ]  # fmt: skip

    run_async(test())


def test_an_account_with_a_password_over_tls(tmp_path: Path) -> None:
    certificates = issue(tmp_path)
    password = tmp_path / "password"
    password.write_text("wrong\n")

    async def test() -> None:
        with Broker(tmp_path / "b", users={"centre": "right"}, certificates=certificates) as broker:
            settings = settings_for(
                broker.port, tls=True, ca_file=certificates.authority, username="centre", password_file=password
            )
            async with linked(settings, wait=False) as rig:
                await until(lambda: "Not authorized" in rig.link.state, "the refusal in words")
                password.write_text("right\n")  # it is read again at each try
                await rig.connected()
                payloads = [b"%d" % number + b"x" * 1000 for number in range(2000)]
                await publish_all(rig.link, EVENT, payloads)
                await rig.link.publish(EVENT, b"x" * 1_000_000, retain=False)
                await rig.got(2001)
                assert [one.payload for one in rig.received[:2000]] == payloads
                assert len(rig.received[2000].payload) == LARGEST_PAYLOAD + 1

    run_async(test())


def test_a_broker_whose_certificate_is_not_trusted_is_left(tmp_path: Path) -> None:
    async def test() -> None:
        with Broker(tmp_path / "b", certificates=issue(tmp_path)) as broker:
            async with linked(settings_for(broker.port, tls=True), wait=False) as rig:
                await until(lambda: "certificate cannot be verified" in rig.link.state, "the reason")

    run_async(test())


def test_a_port_without_tls_is_named(broker: Broker) -> None:
    async def test() -> None:
        async with linked(settings_for(broker.port, tls=True), wait=False) as rig:
            await until(lambda: "tls = false" in rig.link.state, "the advice")

    run_async(test())


# -- bounds ----------------------------------------------------------------------------------------------------------


def test_a_full_queue_stops_the_reading_and_nothing_is_lost(broker: Broker, protocol: int) -> None:
    """What waits stays bounded while nobody takes it, the keep-alive goes on, and everything comes afterwards."""
    count, size = 3000, 5000
    bounds = QueueBounds(messages=1000, bytes=2_000_000)

    async def test() -> None:
        settings = settings_for(broker.port, protocol=protocol, keepalive_s=1)
        # `other` receives as well; it is the one that publishes.
        async with (
            linked(settings, bounds=bounds) as rig,
            linked(settings_for(broker.port), client_id="other") as other,
        ):
            rig.gate.clear()
            await publish_all(other.link, EVENT, [b"%06d" % number + b"x" * size for number in range(count)])
            await asyncio.sleep(2.5)  # more than two keep-alives
            assert 2_000_000 <= rig.link.waiting_bytes < 2_300_000  # the bound, and what was read in one go
            assert rig.disconnects == 0
            rig.gate.set()
            await rig.got(count)
            assert [int(one.payload[:6]) for one in rig.received] == list(range(count))

    run_async(test())


def test_a_large_payload_is_cut_and_acknowledged(broker: Broker, protocol: int) -> None:
    async def test() -> None:
        async with linked(settings_for(broker.port, protocol=protocol)) as rig:
            await rig.link.publish(EVENT, b"x" * 3_000_000, retain=False)
            await rig.link.publish(EVENT, b"next", retain=False)
            await rig.got(2)
            assert [len(one.payload) for one in rig.received] == [LARGEST_PAYLOAD + 1, 4]
            assert rig.connects == 1

    run_async(test())


def test_what_the_broker_takes_at_most_is_respected() -> None:
    def play(connection: PlayedConnection, _broker: ScriptedBroker) -> None:
        connection.expect(CONNECT)
        connection.connack(properties=bytes((MAXIMUM_PACKET_SIZE,)) + (1000).to_bytes(4))
        connection.suback(connection.expect(SUBSCRIBE))
        connection.serve()

    async def test() -> None:
        with ScriptedBroker(play) as broker:
            async with linked(settings_for(broker.port)) as rig:
                with pytest.raises(PublishRefused):
                    await rig.link.publish(EVENT, b"x" * 1000, retain=False)
                await rig.link.publish(EVENT, b"x" * 500, retain=False)

    run_async(test())


# -- a broker that fails ---------------------------------------------------------------------------------------------


def test_a_broker_that_is_killed_and_comes_back(broker: Broker, protocol: int) -> None:
    async def test() -> None:
        async with linked(settings_for(broker.port, protocol=protocol)) as rig:
            broker.kill()
            await until(lambda: not rig.link.is_connected, "the loss")
            with pytest.raises(LinkDown):
                await rig.link.publish(EVENT, b"x", retain=False)
            broker.start()
            await rig.connected()
            assert (rig.connects, rig.disconnects) == (2, 1)
            await rig.link.publish(EVENT, b"x", retain=False)
            await rig.got(1)

    run_async(test())


def test_a_broker_that_hangs_is_noticed_and_used_again(broker: Broker, protocol: int) -> None:
    async def test() -> None:
        async with linked(settings_for(broker.port, protocol=protocol, keepalive_s=1)) as rig:
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                waiting = asyncio.create_task(rig.link.publish(EVENT, b"x", retain=False))
                with pytest.raises(LinkDown):
                    await waiting
                assert not rig.link.is_connected
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            await rig.connected()

    run_async(test())


def welcome(connection: PlayedConnection) -> None:
    """Play the start of every connection of a centre."""
    connection.expect(CONNECT)
    connection.connack()
    connection.suback(connection.expect(SUBSCRIBE))


def test_a_broker_that_does_not_answer_a_publish_is_left() -> None:
    """It answers everything else (`mqtt.md#unanswered-publish`)."""

    def play(connection: PlayedConnection, _broker: ScriptedBroker) -> None:
        welcome(connection)
        connection.serve(answer=lambda packet: None if packet.payload == b"lost" else 0)

    async def test() -> None:
        timing = LinkTiming(backoff_s=0.05, tick_s=0.05, unanswered_s=1)
        with ScriptedBroker(play) as broker:
            async with linked(settings_for(broker.port), timing=timing) as rig:
                lost = asyncio.create_task(rig.link.publish(EVENT, b"lost", retain=False))
                await rig.link.publish(EVENT, b"other", retain=False)
                with pytest.raises(LinkDown, match="has not answered"):
                    await lost
                await rig.connected()

    run_async(test())


def test_a_refused_subscription_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """(`mqtt.md#refused-subscription`)"""
    asked: list[list[str]] = []

    def play(connection: PlayedConnection, _broker: ScriptedBroker) -> None:
        connection.expect(CONNECT)
        connection.connack()
        for codes in (b"\1\x87\1\1\1", b"\x87", b"\1"):
            packet = connection.expect(SUBSCRIBE)
            asked.append([name for name, _ in packet.filters])
            connection.send(9, packet.identifier.to_bytes(2) + b"\0" + codes)
        connection.serve()

    async def test() -> None:
        with ScriptedBroker(play) as broker:
            async with linked(settings_for(broker.port)):
                await until(lambda: len(asked) == 3, "three subscriptions")

    with caplog.at_level(logging.WARNING):
        run_async(test())
    refused = "kiosk/v1/rtm1/agent/+/status"
    assert [len(filters) for filters in asked] == [5, 1, 1]
    assert asked[1:] == [[refused], [refused]]
    assert f"refuses the subscription to {refused}: Not authorized" in caplog.text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x20\x03\0\x87\0", "Not authorized"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is it an MQTT broker?"),
        (b"", "is it an MQTT broker?"),
    ],
)
def test_what_refuses_us_is_named(answer: bytes, words: str) -> None:
    def play(connection: PlayedConnection, _broker: ScriptedBroker) -> None:
        connection.expect(CONNECT)
        connection.send_raw(answer)

    async def test() -> None:
        with ScriptedBroker(play) as broker:
            async with linked(settings_for(broker.port), wait=False) as rig:
                await until(lambda: words in rig.link.state, words)

    run_async(test())


def test_a_port_without_a_broker_is_tried_again() -> None:
    async def test() -> None:
        async with linked(settings_for(9), wait=False) as rig:
            await until(lambda: "nothing listens there" in rig.link.state, "the reason")

    run_async(test())


def test_a_message_whose_topic_is_no_text_is_left_out() -> None:
    def play(connection: PlayedConnection, _broker: ScriptedBroker) -> None:
        welcome(connection)
        connection.send(PUBLISH, b"\0\2\xff\xfe" + b"\0\1\0" + b"bad", flags=2)
        connection.send(PUBLISH, encode_text(EVENT) + b"\0\2\0" + b"good", flags=2)
        connection.serve()

    async def test() -> None:
        with ScriptedBroker(play) as broker:
            async with linked(settings_for(broker.port)) as rig:
                await rig.got(1)
                assert [one.payload for one in rig.received] == [b"good"]
                assert rig.connects == 1

    run_async(test())


def test_back_off_grows_to_its_limit() -> None:
    """(`mqtt.md#reconnect`)"""
    assert [ceiling_s(attempts, LinkTiming()) for attempts in range(9)] == [0, 1, 2, 4, 8, 16, 30, 30, 30]

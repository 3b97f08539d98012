"""The short connections of `check`, `retire` and a failed start, with a real broker."""

import threading

import pytest

from agent.uplink.failures import BrokerLost
from agent.uplink.oneshot import publish_status_once, retire, try_connect
from agent.uplink.uplink_settings import BrokerSettings, Confirm, DeliverySettings
from harness.broker import Broker
from harness.centre import Centre, retained
from harness.mqtt_packets import CONNECT, MAXIMUM_PACKET_SIZE, MAXIMUM_QOS, RECEIVE_MAXIMUM, SUBSCRIBE
from harness.played_broker import PlayedBroker
from harness.waiting import wait_for
from tests.uplink.kiosk_uplink import DEADLINE_S, KioskUplink, running

AGENT = "kiosk/v1/rtm1/agent/dock-3"


def settings(port: int, protocol: int = 5) -> BrokerSettings:
    return BrokerSettings(hosts=(("127.0.0.1", port),), protocol=protocol, tls=False)


@pytest.mark.parametrize("protocol", [5, 311])
def test_the_check_connects_and_says_so_in_one_line(mosquitto: Broker, protocol: int) -> None:
    """(`commands.md#check`)"""
    line = try_connect(settings(mosquitto.port, protocol), DeliverySettings(), site="rtm1", kiosk="dock-3")
    assert f"127.0.0.1:{mosquitto.port}: connected" in line
    assert "NOT encrypted" in line
    assert line.isprintable()


def test_the_check_says_what_the_broker_must_be_set_to(mosquitto: Broker) -> None:
    """(`commands.md#check`, `mqtt.md#broker-confirmation`)"""
    delivery = DeliverySettings(confirm=Confirm.BROKER)
    line = try_connect(settings(mosquitto.port), delivery, site="rtm1", kiosk="dock-3")
    assert "persistent session" in line


def test_a_failed_start_leaves_its_status(mosquitto: Broker) -> None:
    """(`commands.md#failure-at-start`, `mqtt.md#status`)"""
    with Centre(mosquitto, kiosk="dock-3") as centre:
        publish_status_once(
            settings(mosquitto.port),
            site="rtm1",
            kiosk="dock-3",
            version="1.2.3",
            reason="journal damaged",
            connection=8,
        )
        status = centre.wait_status("failed")
        assert (status.reason, status.connection) == ("journal damaged", 8)


@pytest.mark.parametrize("protocol", [5, 311])
def test_retiring_clears_what_is_retained(mosquitto: Broker, protocol: int) -> None:
    """(`commands.md#retire`)"""
    kiosk = KioskUplink(mosquitto.port)
    kiosk.uplink.publish_view("station/1", b"{}")
    kiosk.uplink.publish_view("station/gone", b"{}")
    kiosk.uplink.publish_view("health", b"{}")
    with running(kiosk):
        wait_for(lambda: len(retained(mosquitto, f"{AGENT}/#")) == 4, "the status and three views")
        kiosk.uplink.stop(reason="retired", timeout_s=DEADLINE_S)
        cleared = retire(settings(mosquitto.port, protocol), site="rtm1", kiosk="dock-3", stations=["1"])
        assert set(cleared) == {f"{AGENT}/{name}" for name in ("status", "health", "station/1", "station/gone")}
        wait_for(lambda: not retained(mosquitto, f"{AGENT}/#"), "everything to be cleared")


@pytest.mark.parametrize(
    ("properties", "granted", "said"),
    [
        (bytes([MAXIMUM_PACKET_SIZE]) + (65_535).to_bytes(4), 1, "Maximum Packet Size is 65535"),
        (bytes([MAXIMUM_QOS, 0]), 1, "does not support QoS 1"),
        (b"", 0, "grants QoS 0 only"),
        (b"", 0x87, "may not read"),
    ],
)
def test_the_check_refuses_a_broker_that_cannot_serve_a_kiosk(properties: bytes, granted: int, said: str) -> None:
    """(`commands.md#check`)"""
    with PlayedBroker() as peer:

        def play() -> None:
            broker = peer.accept()
            broker.expect(CONNECT)
            broker.connack(properties=properties)
            if MAXIMUM_QOS not in properties[:1]:
                broker.suback(broker.expect(SUBSCRIBE), granted)

        player = threading.Thread(target=play)
        player.start()
        with pytest.raises(BrokerLost, match=said):
            try_connect(settings(peer.port), DeliverySettings(), site="rtm1", kiosk="dock-3")
        player.join()


def test_the_check_tells_the_limits_of_the_broker() -> None:
    """(`commands.md#check`)"""
    limits = bytes([MAXIMUM_PACKET_SIZE]) + (65_536).to_bytes(4) + bytes([RECEIVE_MAXIMUM, 0, 20])
    with PlayedBroker() as peer:

        def play() -> None:
            broker = peer.accept()
            broker.expect(CONNECT)
            broker.connack(properties=limits)
            broker.suback(broker.expect(SUBSCRIBE))

        player = threading.Thread(target=play)
        player.start()
        line = try_connect(settings(peer.port), DeliverySettings(), site="rtm1", kiosk="dock-3")
        player.join()
    assert "Maximum Packet Size 65536 bytes" in line
    assert "Receive Maximum 20, so that fewer events than max_inflight = 100 are in flight" in line

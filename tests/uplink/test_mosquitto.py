"""The uplink with a real broker, Mosquitto."""

import json

import pytest

from agent.uplink.uplink_settings import Confirm
from tests.uplink.kiosks import DEADLINE_S, Kiosk, LockedJournal, running
from tests.uplink.mosquitto import AGENT, Mosquitto, centre_at, needs_mosquitto

pytestmark = needs_mosquitto


@pytest.mark.parametrize(("protocol", "confirm"), [(5, Confirm.CONSUMER), (5, Confirm.BROKER), (311, Confirm.CONSUMER)])
def test_everything_arrives_in_sequence(mosquitto: Mosquitto, protocol: int, confirm: Confirm) -> None:
    """(`mqtt.md#journal-is-the-outbox`)"""
    journal = LockedJournal(events=400)
    kiosk = Kiosk(mosquitto.port, journal=journal, protocol=protocol, confirm=confirm)
    with centre_at(mosquitto.port) as centre:
        with running(kiosk):
            kiosk.until(lambda: kiosk.uplink.health().acked == 400)
            centre.until(lambda: len(centre.ids) >= 400)
            assert centre.ids == [event.id for event in journal.events]
            assert centre.content_types == ({"application/cloudevents+json"} if protocol == 5 else {""})
            assert centre.status() == "online"
            kiosk.uplink.stop(reason="upgrade", timeout_s=DEADLINE_S)
        centre.until(lambda: centre.status() == "offline")
        assert json.loads(centre.retained[f"{AGENT}/status"])["reason"] == "upgrade"


def test_a_broker_that_restarts_without_its_memory_gets_everything(mosquitto: Mosquitto) -> None:
    """(`faults.md#broker-or-consumer-loses-data`)"""
    journal = LockedJournal(events=200)
    # The consumer reconnects after the kiosk: what was published to nobody must be sent again.
    kiosk = Kiosk(mosquitto.port, journal=journal, ack_timeout_s=0.3)
    with centre_at(mosquitto.port) as centre, running(kiosk):
        kiosk.until(lambda: kiosk.uplink.health().acked == 200)
        mosquitto.stop()
        kiosk.until(lambda: not kiosk.uplink.health().online)
        for _ in range(100):
            journal.commit()
        kiosk.uplink.wake()
        mosquitto.start()
        kiosk.until(lambda: kiosk.uplink.health().acked == 300)
        assert set(centre.ids) == {event.id for event in journal.events}


def test_a_second_client_with_our_id_makes_a_duplicate(mosquitto: Mosquitto) -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    # Mosquitto before 2.0.12 does not report a session that was taken over; over MQTT 3.1.1 no broker can.
    kiosk, other = Kiosk(mosquitto.port, protocol=311), Kiosk(mosquitto.port, protocol=311)
    with running(kiosk):
        kiosk.until(lambda: kiosk.uplink.health().online)
        with running(other):
            kiosk.until(lambda: kiosk.uplink.health().situation.duplicate_id)

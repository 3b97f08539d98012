"""The uplink with a real broker, Mosquitto, and a consumer that stores events and acknowledges them."""

import pytest

from agent.uplink.uplink_settings import Confirm
from harness.broker import Broker
from harness.centre import Centre
from harness.consumer import Consumer
from harness.warehouse import refusal_event
from tests.uplink.kiosk_uplink import DEADLINE_S, KioskUplink, LockedJournal, running


class RefusalsJournal(LockedJournal):
    """A journal whose events a consumer accepts."""

    def new_document(self, sequence: int, *, type_: str, padding: int) -> bytes:
        return refusal_event(sequence, journal=self.journal, boot=self.boot)


@pytest.mark.parametrize(("protocol", "confirm"), [(5, Confirm.CONSUMER), (5, Confirm.BROKER), (311, Confirm.CONSUMER)])
def test_everything_arrives_in_sequence(mosquitto: Broker, protocol: int, confirm: Confirm) -> None:
    """(`mqtt.md#journal-is-the-outbox`)"""
    journal = RefusalsJournal(events=400)
    kiosk = KioskUplink(mosquitto.port, journal=journal, protocol=protocol, confirm=confirm)
    with Consumer(mosquitto) as consumer, Centre(mosquitto, kiosk="dock-3") as centre:
        with running(kiosk):
            kiosk.until(lambda: kiosk.uplink.health().acked == 400)
            consumer.wait_until(lambda: len(consumer.stored()) >= 400, "400 events")
            assert [stored.event.id for stored in consumer.stored()] == [event.id for event in journal.events]
            assert consumer.repeats == 0
            if protocol == 5:
                assert consumer.problems == []
            else:  # MQTT 3.1.1 has no properties
                assert len(consumer.problems) == 400
                assert all("wrong content type, payload format" in problem for problem in consumer.problems)
            centre.wait_status("online")
            kiosk.uplink.stop(reason="upgrade", timeout_s=DEADLINE_S)
        assert centre.wait_status("offline").reason == "upgrade"


def test_a_broker_that_restarts_without_its_memory_gets_everything(mosquitto: Broker) -> None:
    """(`faults.md#broker-or-consumer-loses-data`)"""
    journal = RefusalsJournal(events=200)
    # The consumer reconnects after the kiosk: what was published to nobody must be sent again.
    kiosk = KioskUplink(mosquitto.port, journal=journal, ack_timeout_s=0.3)
    with Consumer(mosquitto) as consumer, running(kiosk):
        kiosk.until(lambda: kiosk.uplink.health().acked == 200)
        mosquitto.stop()
        kiosk.until(lambda: not kiosk.uplink.health().online)
        for _ in range(100):
            journal.commit()
        kiosk.uplink.wake()
        mosquitto.start()
        kiosk.until(lambda: kiosk.uplink.health().acked == 300)
        assert {stored.event.id for stored in consumer.stored()} == {event.id for event in journal.events}


def test_a_second_client_with_our_id_makes_a_duplicate(mosquitto: Broker) -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    # Mosquitto before 2.0.12 does not report a session that was taken over; over MQTT 3.1.1 no broker can.
    kiosk, other = KioskUplink(mosquitto.port, protocol=311), KioskUplink(mosquitto.port, protocol=311)
    with running(kiosk):
        kiosk.until(lambda: kiosk.uplink.health().online)
        with running(other):
            kiosk.until(lambda: kiosk.uplink.health().situation.duplicate_id)

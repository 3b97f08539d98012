"""A centre and two kiosks that cheat, on brokers with the rules that ship.

The centre is the real one's connection. What a kiosk does beyond its rights reaches neither the centre nor the other
kiosk. Rule: mqtt.md#access-rights.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from centre.link.broker_survey import BrokerSurvey, Survey, marker_topic
from centre.link.mqtt_link import MqttLink
from harness.servers import find_program
from tests.centre.link.rig import QUICK_RETAINED, SITE, LinkRig, linked, run_async, settings_for
from tests.deploy.account_client import AccountClient
from tests.deploy.brokers import PASSWORDS, mosquitto, nats

AGENT = f"kiosk/v1/{SITE}/agent"
CENTRE_ID = "centre-under-test"
CHEATS = (
    f"{AGENT}/dock-4/event/scan", f"{AGENT}/dock-4/status", f"{AGENT}/dock-4/health", f"{AGENT}/dock-4/station/1",
    f"{AGENT}/dock-4/response/t-1", f"{AGENT}/dock-4/ack", f"{AGENT}/dock-4/verdict/1",
    f"{AGENT}/dock-4/request/identify", f"{AGENT}/dock-3/ack", f"{AGENT}/dock-3/verdict/1",
    f"kiosk/v1/{SITE}/order/SO-1", f"kiosk/v1/{SITE}/reference/operators", f"kiosk/v1/{SITE}/reference/orders",
    f"kiosk/v1/{SITE}/counted/SO-1/0", marker_topic(SITE, CENTRE_ID),
)  # fmt: skip
"""What dock-3 writes without a right to."""


@pytest.fixture(params=["mosquitto-5", "mosquitto-311", "nats-311"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """(the port of a broker, the version of MQTT)"""
    name, _, version = request.param.partition("-")
    if name == "nats":
        try:
            find_program("nats-server")
        except FileNotFoundError as exc:
            pytest.skip(str(exc))
    with {"mosquitto": mosquitto, "nats": nats}[name](tmp_path) as port:
        yield port, int(version)


@asynccontextmanager
async def centre_at(server: tuple[int, int], folder: Path) -> AsyncIterator[tuple[LinkRig, list[Survey]]]:
    """A connected centre that has read what is retained."""
    password = folder / "password"
    password.write_text(PASSWORDS["centre"])
    surveys: list[Survey] = []
    reading: list[BrokerSurvey] = []

    async def connected(link: MqttLink) -> None:
        reading.append(BrokerSurvey(link, known={}, timing=QUICK_RETAINED))
        surveys.append(await reading[0].read())

    port, protocol = server
    settings = settings_for(port, protocol=protocol, username="centre", password_file=password)
    async with linked(settings, on_connect=connected, client_id=CENTRE_ID, wait=False) as rig:
        rig.hook = lambda received: reading[0].take(received) if reading else None
        while not surveys:
            await asyncio.sleep(0.01)
        rig.received.clear()
        yield rig, surveys


def kiosk(server: tuple[int, int], name: str) -> AccountClient:
    port, version = server
    protocol = MQTTProtocolVersion.MQTTv5 if version == 5 else MQTTProtocolVersion.MQTTv311
    return AccountClient(port, client_id=f"kiosk-{SITE}-{name}", protocol=protocol, login=(name, PASSWORDS[name]))


def cheat(server: tuple[int, int]) -> None:
    """Publish, as dock-3, on every topic of `CHEATS`. Mosquitto 2.0.11 may close the connection after each."""
    for topic in CHEATS:
        with kiosk(server, "dock-3") as cheater:
            cheater.try_publish(topic, b"cheat", retain=True)


def test_a_kiosk_that_cheats_reaches_neither_centre_nor_the_other_kiosk(
    server: tuple[int, int], tmp_path: Path
) -> None:
    async def test() -> None:
        async with centre_at(server, tmp_path) as (rig, _):
            with kiosk(server, "dock-4") as other:
                filters = [f"{AGENT}/dock-4/{rest}" for rest in ("ack", "verdict/+", "request/+")]
                site = [f"kiosk/v1/{SITE}/{rest}" for rest in ("order/+", "reference/+", "counted/+/+")]
                assert not await asyncio.to_thread(other.subscribe, [*filters, *site])
                await asyncio.to_thread(cheat, server)
                await asyncio.to_thread(other.publish, [f"{AGENT}/dock-4/event/scan"], b"honest")
                await rig.got(1)
                await rig.link.publish(f"{AGENT}/dock-4/ack", b"honest", retain=True)
                await asyncio.to_thread(other.wait_for, lambda: bool(other.received), "the ack")
                await asyncio.sleep(0.2)
                assert {one.payload for one in rig.received} == {b"honest"}
                assert other.received == [(f"{AGENT}/dock-4/ack", b"honest")]
        async with centre_at(server, tmp_path) as (_, surveys):
            assert surveys[0].found == {}  # nothing of it is retained either

    run_async(test())


def test_a_kiosk_sees_nothing_of_the_other_one(server: tuple[int, int], tmp_path: Path) -> None:
    async def test() -> None:
        async with centre_at(server, tmp_path) as (rig, _):
            with kiosk(server, "dock-3") as spy:
                spied = [f"{AGENT}/dock-4/#", f"{AGENT}/+/verdict/+", f"{AGENT}/+/ack", marker_topic(SITE, CENTRE_ID)]
                await asyncio.to_thread(spy.subscribe, [*spied, f"{AGENT}/dock-3/verdict/+"])
                for rest in ("verdict/1", "ack", "request/identify"):
                    await rig.link.publish(f"{AGENT}/dock-4/{rest}", b"secret", retain=rest != "request/identify")
                await rig.link.publish(marker_topic(SITE, CENTRE_ID), b"secret", retain=False)
                await rig.link.publish(f"{AGENT}/dock-3/verdict/1", b"mine", retain=True)
                await asyncio.to_thread(spy.wait_for, lambda: bool(spy.received), "the own verdict")
                await asyncio.sleep(0.2)
                assert {payload for _, payload in spy.received} == {b"mine"}

    run_async(test())

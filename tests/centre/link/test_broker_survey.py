"""Reading what a broker retains: everything, on every broker, and within bounds."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from centre.configuration.centre_settings import MqttBrokerSettings
from centre.link.broker_survey import BrokerSurvey, Survey, SurveyBounds, SurveyTooLarge
from centre.link.mqtt_link import MqttLink
from centre.link.received import LARGEST_PAYLOAD
from centre.link.retained_differences import digest_of
from harness.broker import Broker
from tests.centre.link.retained_rig import COUNTED, ORDERS, REFERENCE, put_retained
from tests.centre.link.rig import QUICK_RETAINED, linked, run_async, settings_for
from tests.deploy.brokers import PASSWORDS, nats


async def surveyed(
    settings: MqttBrokerSettings, known: Mapping[str, bytes] = {}, bounds: SurveyBounds | None = None
) -> Survey:
    """Read what is retained."""
    result: asyncio.Future[Survey] = asyncio.get_running_loop().create_future()
    surveys: list[BrokerSurvey] = []

    async def connected(link: MqttLink) -> None:
        surveys.append(BrokerSurvey(link, known=known, timing=QUICK_RETAINED, bounds=bounds))
        try:
            result.set_result(await surveys[0].read())
        except SurveyTooLarge as exc:
            result.set_exception(exc)

    async with linked(settings, on_connect=connected, wait=False) as rig:
        rig.hook = lambda received: surveys[0].take(received) if surveys else None
        return await result


def index_of(names: list[str]) -> bytes:
    return json.dumps({"revision": 1, "orders": dict.fromkeys(names, 1)}).encode()


def test_everything_of_the_site_is_read(broker: Broker, protocol: int) -> None:
    retained = {ORDERS + f"SO-{number}": b"manifest %d" % number for number in range(2000)}
    retained |= {REFERENCE + "operators": b"o", REFERENCE + "blocked/1": b"b", COUNTED + "SO-1/0": b"c"}
    others = {"kiosk/v1/other/order/SO-1": b"x", "kiosk/v1/rtm1/agent/dock-3/ack": b"x"}

    async def test() -> None:
        await put_retained(broker.port, retained | others)
        survey = await surveyed(settings_for(broker.port, protocol=protocol))
        assert survey.found == retained
        assert survey.digests == {topic: digest_of(payload) for topic, payload in retained.items()}

    run_async(test())


def test_what_we_have_published_takes_no_memory(broker: Broker) -> None:
    retained = {ORDERS + "SO-1": b"ours", ORDERS + "SO-2": b"theirs", REFERENCE + "boxes": b"ours"}
    known = {topic: digest_of(b"ours") for topic in retained}

    async def test() -> None:
        await put_retained(broker.port, retained)
        survey = await surveyed(settings_for(broker.port), known)
        assert survey.found == {ORDERS + "SO-2": b"theirs", REFERENCE + "boxes": b"ours"}
        assert survey.digests.keys() == retained.keys()

    run_async(test())


@pytest.mark.parametrize("protocol", [5, 311])
def test_a_run_that_the_broker_cuts_short_is_completed_by_the_index(tmp_path: Path, protocol: int) -> None:
    """Mosquitto delivers its first 120 here, and by its defaults its first 1,020."""
    names = [f"SO/{number}" for number in range(400)]
    retained = {ORDERS + f"SO%2F{number}": b"manifest" for number in range(400)}
    retained[REFERENCE + "orders/0"] = index_of(names[:150])
    retained[REFERENCE + "orders/1"] = index_of(names[150:])
    retained[REFERENCE + "orders/2"] = b"no index"

    async def test() -> None:
        limits = {"max_queued_messages": 100, "max_inflight_messages": 20}
        with Broker(tmp_path / "broker", settings=limits) as broker:
            for start in range(0, len(retained), 50):
                await put_retained(broker.port, dict(list(retained.items())[start : start + 50]))
            survey = await surveyed(settings_for(broker.port, protocol=protocol))
        indexed = {topic for topic in retained if topic.startswith(ORDERS)}
        assert len(indexed & survey.digests.keys()) == 400

    run_async(test())


def test_a_broker_with_nothing(broker: Broker, protocol: int) -> None:
    async def test() -> None:
        survey = await surveyed(settings_for(broker.port, protocol=protocol))
        assert (survey.found, survey.digests) == ({}, {})

    run_async(test())


def test_too_much_ends_in_words(broker: Broker) -> None:
    async def test() -> None:
        await put_retained(broker.port, {ORDERS + f"SO-{number}": b"x" * 1000 for number in range(20)})
        with pytest.raises(SurveyTooLarge, match="retains more than"):
            await surveyed(settings_for(broker.port), bounds=SurveyBounds(bytes=10_000))
        with pytest.raises(SurveyTooLarge, match="19 messages"):
            await surveyed(settings_for(broker.port), bounds=SurveyBounds(messages=19))
        # Long topics count as well, even of messages that we have published.
        await put_retained(broker.port, {COUNTED + "x" * 20_000: b"ours"})
        known = {COUNTED + "x" * 20_000: digest_of(b"ours")}
        with pytest.raises(SurveyTooLarge):
            await surveyed(settings_for(broker.port), known, SurveyBounds(bytes=39_000))
        await surveyed(settings_for(broker.port), known, SurveyBounds(bytes=41_000))

    run_async(test())


def test_a_system_that_publishes_all_the_time_does_not_hold_it_up(broker: Broker, protocol: int) -> None:
    async def test() -> None:
        await put_retained(broker.port, {ORDERS + "SO-1": b"manifest"})

        async def publish_for_ever() -> None:
            async with linked(settings_for(broker.port), client_id="other-system") as other:
                while True:
                    await other.link.publish(ORDERS + "SO-2", b"again", retain=True)
                    await asyncio.sleep(QUICK_RETAINED.quiet_s / 10)

        publishing = asyncio.create_task(publish_for_ever())
        survey = await surveyed(settings_for(broker.port, protocol=protocol))
        assert survey.found == {ORDERS + "SO-1": b"manifest", ORDERS + "SO-2": b"again"}
        publishing.cancel()

    run_async(test())


def test_a_payload_over_the_limit_is_cut(broker: Broker) -> None:
    async def test() -> None:
        await put_retained(broker.port, {ORDERS + "SO-1": b"x" * 1_000_000})
        survey = await surveyed(settings_for(broker.port))
        assert len(survey.found[ORDERS + "SO-1"]) == LARGEST_PAYLOAD + 1

    run_async(test())


def test_an_index_that_cannot_be_read(broker: Broker) -> None:
    retained = {
        REFERENCE + "orders": b'{"revision":1,"orders":{"SO-1":1},"x":' + b"[" * 50_000,
        REFERENCE + "orders/a": b'{"revision":1,"orders":{"SO-1":1},"x":"\xff"}',
        ORDERS + "SO-2": b"x",
    }

    async def test() -> None:
        await put_retained(broker.port, retained)
        assert (await surveyed(settings_for(broker.port))).found == retained

    run_async(test())


def test_an_account_that_may_not_read_its_marker(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    acl = "topic readwrite kiosk/v1/rtm1/order/#\ntopic readwrite kiosk/v1/rtm1/reference/#\n"

    async def test() -> None:
        with Broker(tmp_path / "broker", acl=acl) as broker:
            await put_retained(broker.port, {ORDERS + "SO-1": b"manifest"})
            survey = await surveyed(settings_for(broker.port))
            assert survey.found == {ORDERS + "SO-1": b"manifest"}

    run_async(test())
    assert "let the centre's account write and read there" in caplog.text


def test_nats_with_the_rules_that_ship(tmp_path: Path) -> None:
    """Its retained messages come in no order, and over MQTT 3.1.1 only."""
    password = tmp_path / "password"
    password.write_text(PASSWORDS["centre"])
    retained = {ORDERS + f"SO-{number}": b"manifest %d" % number for number in range(500)}
    retained |= {REFERENCE + "operators": b"o", COUNTED + "SO-1/0": b"c"}

    async def test() -> None:
        with nats(tmp_path) as port:
            settings = settings_for(port, protocol=311, username="centre", password_file=password)
            async with linked(settings, client_id="writer") as writer:
                publishes = (writer.link.publish(topic, payload, retain=True) for topic, payload in retained.items())
                await asyncio.gather(*publishes)
            survey = await surveyed(settings)
            assert survey.found == retained

    try:
        run_async(test())
    except FileNotFoundError as exc:
        pytest.skip(str(exc))

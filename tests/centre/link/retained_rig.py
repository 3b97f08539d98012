"""A `RetainedPublisher` under test on one broker, and what a bystander finds retained there."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from centre.changes import Change, Changes
from centre.configuration.centre_settings import MqttBrokerSettings
from centre.link.broker_survey import SurveyBounds
from centre.link.mqtt_link import MqttLink
from centre.link.received import Received
from centre.link.retained_publisher import PublisherState, RetainedPublisher
from centre.moments import utc_now
from centre.store.database import Database
from centre.store.message_rows import RetainedMessage, save_messages
from tests.centre.link.rig import QUICK, QUICK_RETAINED, SITE, linked, settings_for, until

__all__ = ["COUNTED", "ORDERS", "REFERENCE", "PublisherRig", "publishing", "put_retained", "retained_at", "want"]

ORDERS = f"kiosk/v1/{SITE}/order/"
REFERENCE = f"kiosk/v1/{SITE}/reference/"
COUNTED = f"kiosk/v1/{SITE}/counted/"


def want(database: Database, messages: Mapping[str, bytes]) -> None:
    """Have these payloads retained, by topic; an empty one: nothing."""
    rows = [RetainedMessage(topic=topic, payload=payload, site=SITE) for topic, payload in messages.items()]
    with database.writing() as connection:
        save_messages(connection, rows)


async def put_retained(port: int, messages: Mapping[str, bytes], **more: Any) -> None:
    """Publish retained messages as another system does. `more` are settings of the connection."""
    async with linked(settings_for(port, **more), client_id="other-system") as other:
        await asyncio.gather(*(other.link.publish(topic, load, retain=True) for topic, load in messages.items()))


async def retained_at(port: int, **more: Any) -> dict[str, bytes]:
    """Return what a broker retains, by topic. `more` are settings of the connection."""
    async with linked(settings_for(port, **more), client_id="bystander") as other:
        await other.link.subscribe([ORDERS + "#", REFERENCE + "#", COUNTED + "#"])
        await asyncio.sleep(0.3)
        return {one.topic: one.payload for one in other.received if one.retained}


class PublisherRig:
    """One publisher and its link. `adopted` has what was found, one dictionary for each call."""

    def __init__(
        self, database: Database, settings: MqttBrokerSettings, brokers: Iterable[str], bounds: SurveyBounds | None
    ) -> None:
        self.database = database
        self.changes = Changes(asyncio.get_running_loop())
        self.adopted: list[Mapping[str, bytes]] = []
        self.may_adopt = asyncio.Event()
        self.may_adopt.set()
        self.link = MqttLink(
            settings,
            [SITE],
            client_id="centre-under-test",
            now=utc_now,
            on_message=self._take,
            on_connect=self._connected,
            timing=QUICK,
        )
        self.publisher = RetainedPublisher(
            self.link,
            database=database,
            changes=self.changes,
            now=utc_now,
            adopt=self._adopt,
            brokers_of=lambda _site: brokers,
            timing=QUICK_RETAINED,
            bounds=bounds,
        )

    async def _take(self, received: Received) -> None:
        if self.publisher.takes(received.topic):
            await self.publisher.take(received)

    async def _connected(self, _link: MqttLink) -> None:
        await self.publisher.run()

    async def _adopt(self, _link: object, found: Mapping[str, bytes]) -> None:
        self.adopted.append(found)
        await self.may_adopt.wait()

    async def want(self, messages: Mapping[str, bytes]) -> None:
        """Have these payloads retained, and tell of it."""
        await asyncio.to_thread(want, self.database, messages)
        self.changes.tell(Change.RETAINED)

    async def is_in(self, state: PublisherState) -> None:
        await until(lambda: self.publisher.state == state, f"the state {state}")


@asynccontextmanager
async def publishing(
    database: Database,
    port: int,
    *,
    brokers: Iterable[str] | None = None,
    bounds: SurveyBounds | None = None,
    wait: bool = True,
    **more: Any,
) -> AsyncIterator[PublisherRig]:
    """Run a publisher; with `wait` everything is published when this yields. `more` are settings of the connection."""
    settings = settings_for(port, **more)
    rig = PublisherRig(database, settings, [settings.name] if brokers is None else brokers, bounds)
    task = asyncio.create_task(rig.link.run())
    try:
        if wait:
            await rig.is_in(PublisherState.PUBLISHED)
        yield rig
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

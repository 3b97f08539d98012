"""All brokers of the centre: their connections, what is retained there, and requests to kiosks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from centre.centre_errors import DatabaseDown, LinkDown
from centre.changes import Change, Changes
from centre.configuration.centre_settings import CentreSettings
from centre.link.broker_link import BrokerLink
from centre.link.kiosk_requests import KioskRequests
from centre.link.link_settings import LinkTiming, RetainedTiming
from centre.link.mqtt_link import MqttLink
from centre.link.patience import patiently
from centre.link.received import Received
from centre.link.retained_publisher import Adopt, PublisherState, RetainedPublisher
from centre.link.together import together
from centre.moments import Now
from centre.store.database import Database
from centre.store.retained_rows import forget_other_brokers

__all__ = ["BrokerState", "Brokers"]


class BrokerState(Struct, frozen=True, kw_only=True):
    """One broker, for people. `text` says why there is no connection."""

    name: str
    sites: tuple[str, ...]
    is_connected: bool
    text: str
    publisher: PublisherState


class Brokers:
    """Connections to all brokers of the configuration. Used in the event loop's thread.

    `take` gets what kiosks publish; while it waits, no more is read. `greet` runs after
    each connect beside the publisher of retained messages, and is cancelled when the connection ends. `adopt` is that
    of `RetainedPublisher`.
    """

    def __init__(
        self,
        settings: CentreSettings,
        *,
        client_id: str,
        database: Database,
        changes: Changes,
        now: Now,
        take: Callable[[Received], Awaitable[None]],
        greet: Callable[[BrokerLink], Awaitable[None]],
        adopt: Adopt,
        link_timing: LinkTiming | None = None,
        retained_timing: RetainedTiming | None = None,
    ) -> None:
        self._sites = settings.general.sites
        self._database = database
        self._changes = changes
        self._take = take
        self._greet = greet
        self._retained_timing = retained_timing or RetainedTiming()
        self.requests = KioskRequests(self.serving)
        self._publishers: dict[str, RetainedPublisher] = {}
        links = []
        for broker in settings.brokers:
            link = MqttLink(
                broker,
                settings.sites_of(broker),
                client_id=client_id,
                now=now,
                on_message=self._route,
                on_connect=self._connected,
                on_disconnect=lambda _: changes.tell(Change.KIOSKS),
                timing=link_timing,
            )
            self._publishers[link.name] = RetainedPublisher(
                link,
                database=database,
                changes=changes,
                now=now,
                adopt=adopt,
                brokers_of=self._names_of,
                timing=self._retained_timing,
            )
            links.append(link)
        self.links = tuple(links)

    async def run(self) -> None:
        """Keep all connections until cancelled. Raises what the callbacks raise, but for LinkDown."""
        await patiently("The start", lambda: asyncio.to_thread(self._forget_others), self._retained_timing)
        await together(*(link.run() for link in self.links))

    def serving(self, site: str) -> Sequence[MqttLink]:
        """Return the connections to the brokers that serve a site."""
        return [link for link in self.links if site in link.sites]

    def states(self) -> list[BrokerState]:
        """Return how each broker is."""
        return [
            BrokerState(
                name=link.name,
                sites=link.sites,
                is_connected=link.is_connected,
                text=link.state,
                publisher=self._publishers[link.name].state,
            )
            for link in self.links
        ]

    def _names_of(self, site: str) -> list[str]:
        return [link.name for link in self.serving(site)]

    def _forget_others(self) -> None:
        with self._database.writing() as connection:
            forget_other_brokers(connection, self._sites, [link.name for link in self.links])

    async def _connected(self, link: MqttLink) -> None:
        self._changes.tell(Change.KIOSKS)
        await together(self._greeted(link), self._publishers[link.name].run())

    async def _greeted(self, link: MqttLink) -> None:
        try:
            await self._greet(link)
        except DatabaseDown as exc:
            # The next connection is greeted again.
            raise LinkDown(f"given up because the database is down: {exc}") from exc

    async def _route(self, received: Received) -> None:
        """Pass a message to the part that it is for. `take` gets all others, and refuses what it does not know."""
        publisher = self._publishers[received.broker]
        if publisher.takes(received.topic):
            await publisher.take(received)
            return
        if received.topic.split("/", 6)[5:6] == ["response"]:
            # Not by the queue: somebody waits for this answer at a screen.
            self.requests.answered(received)
        await self._take(received)

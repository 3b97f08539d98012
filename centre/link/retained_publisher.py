"""Keeping one broker's retained messages equal to the table `retained`.

At each connect the broker's retained messages are read and adopted first: a new or restored centre must not destroy
what is there. Then everything that differs is published, and from then on every change.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import ParamSpec, TypeVar

from centre.changes import Change, Changes
from centre.link.broker_link import PublishRefused
from centre.link.broker_survey import BrokerSurvey, SurveyBounds, SurveyTooLarge, marker_topic
from centre.link.link_settings import RetainedTiming
from centre.link.mqtt_link import MqttLink
from centre.link.patience import patiently
from centre.link.received import Received
from centre.link.retained_differences import EMPTY_DIGEST, differences, digest_of
from centre.link.together import together
from centre.moments import Now, moment
from centre.store.database import Database
from centre.store.retained_rows import (
    RetainedRow,
    changed_rows,
    drop_cleared,
    note_sent,
    replace_sent,
    sent_digests,
)

__all__ = ["Adopt", "PublisherState", "RetainedPublisher"]

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

Adopt = Callable[[MqttLink, Mapping[str, bytes]], Awaitable[None]]
"""Takes in what a broker retains, by topic, and may raise DatabaseDown. Called again with what other systems publish
there later; an empty payload then says that a topic was cleared."""

_PAGE = 500
"""How many messages are published before `sent` is written."""

_LIVE_MAX = 1000
"""How many messages of other systems may wait."""


class PublisherState(StrEnum):
    """How far one broker is."""

    DOWN = "down"
    READING = "reading"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    TOO_MUCH_RETAINED = "too_much_retained"


class RetainedPublisher:
    """Publishes to one broker. `run` works for one connection; `take` gets what comes on the survey's topics.

    `brokers_of` returns the names of the brokers that serve a site: a message that must be gone is forgotten when all
    of them have cleared it. Used in the event loop's thread.
    """

    def __init__(
        self,
        link: MqttLink,
        *,
        database: Database,
        changes: Changes,
        now: Now,
        adopt: Adopt,
        brokers_of: Callable[[str], Iterable[str]],
        timing: RetainedTiming | None = None,
        bounds: SurveyBounds | None = None,
    ) -> None:
        self.state = PublisherState.DOWN
        self._link = link
        self._database = database
        self._changes = changes
        self._now = now
        self._adopt = adopt
        self._brokers_of = brokers_of
        self._timing = timing or RetainedTiming()
        self._bounds = bounds
        self._survey: BrokerSurvey | None = None
        self._live: dict[str, bytes] = {}
        self._live_is_full = asyncio.Event()
        self._live_taken = asyncio.Event()
        self._published: dict[str, bytes] = {}
        """The digests of the newest publishes, by topic: MQTT 3.1.1 sends them back to us."""
        self._refused: set[str] = set()

    def takes(self, topic: str) -> bool:
        """Return whether a topic is one of those that `take` wants."""
        level = topic.split("/", 4)[3:4]
        return level in (["order"], ["reference"], ["counted"]) or topic == self._marker

    @property
    def _marker(self) -> str:
        return marker_topic(self._link.sites[0], self._link.client_id)

    async def take(self, received: Received) -> None:
        """Take a message of the survey's topics. Waits while too many of other systems wait to be adopted."""
        if self._survey is not None:
            self._survey.take(received)
            return
        while len(self._live) >= _LIVE_MAX and self.state != PublisherState.DOWN:
            self._live_is_full.set()
            self._live_taken.clear()
            await self._live_taken.wait()
        if self.state != PublisherState.DOWN and received.topic != self._marker:
            self._live[received.topic] = received.payload

    async def run(self) -> None:
        """Read, adopt, then publish until cancelled at the end of the connection. Raises LinkDown."""
        self._live = {}
        self._refused = set()
        try:
            await self._read_and_adopt()
            await together(self._publish_changes(), self._adopt_changes())
        finally:
            self.state = PublisherState.DOWN
            self._survey = None
            self._live_taken.set()

    # -- what the broker has -----------------------------------------------------------------------------------------

    async def _read_and_adopt(self) -> None:
        broker = self._link.name
        while True:
            self.state = PublisherState.READING
            known = await self._in_database(self._sent)
            self._survey = BrokerSurvey(self._link, known=known, timing=self._timing, bounds=self._bounds)
            try:
                survey = await self._survey.read()
                break
            except SurveyTooLarge as exc:
                _log.error("%s", exc)
                self.state = PublisherState.TOO_MUCH_RETAINED
                await asyncio.sleep(self._timing.survey_again_s)
        self._survey = None
        _log.info("Broker %s retains %d messages, %d of them new here", broker, len(survey.digests), len(survey.found))
        await self._adopt_patiently(survey.found)
        await self._in_database(self._note_survey, survey.digests)

    async def _adopt_changes(self) -> None:
        """Adopt what other systems publish while we are connected."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._live_is_full.wait(), self._timing.live_s)
            self._live_is_full.clear()
            if not self._live:
                continue
            live, self._live = self._live, {}
            self._live_taken.set()
            sent = await self._in_database(self._sent, list(live))
            foreign = {
                topic: payload
                for topic, payload in live.items()
                if digest_of(payload) not in (sent.get(topic), self._published.get(topic))
            }
            if foreign:
                await self._adopt_patiently(foreign)

    async def _adopt_patiently(self, found: Mapping[str, bytes]) -> None:
        await self._retrying(lambda: self._adopt(self._link, found))

    # -- what the broker should have ---------------------------------------------------------------------------------

    async def _publish_changes(self) -> None:
        waiter = self._changes.subscribe(Change.RETAINED)
        after = -1
        try:
            while True:
                self.state = PublisherState.PUBLISHING
                after = await self._publish_after(after)
                self.state = PublisherState.PUBLISHED
                if not await waiter.wait(self._timing.refused_again_s) and self._refused:
                    self._refused, after = set(), -1
        finally:
            self._changes.unsubscribe(waiter)

    async def _publish_after(self, after: int) -> int:
        """Publish all rows whose `change` is higher; return the highest one."""
        while True:
            rows, held = await self._in_database(self._page, after)
            if not rows:
                return after
            await self._publish_page(list(differences(rows, held)))
            after = rows[-1].change

    async def _publish_page(self, rows: Sequence[RetainedRow]) -> None:
        self._published = {row.topic: digest_of(row.payload) for row in rows}
        taken = await asyncio.gather(*(self._publish(row) for row in rows))
        digests = {row.topic: self._published[row.topic] for row, is_taken in zip(rows, taken, strict=True) if is_taken}
        if digests:
            await self._in_database(self._note_taken, digests)

    async def _publish(self, row: RetainedRow) -> bool:
        """Publish one row; return whether the broker has taken it. Raises LinkDown."""
        try:
            await self._link.publish(row.topic, row.payload, retain=True)
        except PublishRefused as exc:
            if not self._refused:
                _log.warning("Broker %s refuses %s: %s; trying again", self._link.name, row.topic, exc)
            self._refused.add(row.topic)
            return False
        return True

    # -- the database ------------------------------------------------------------------------------------------------

    def _sent(self, topics: Sequence[str] | None = None) -> dict[str, bytes]:
        with self._database.reading() as connection:
            return sent_digests(connection, self._link.name, topics)

    def _page(self, after: int) -> tuple[list[RetainedRow], dict[str, bytes]]:
        with self._database.reading() as connection:
            rows = changed_rows(connection, self._link.sites, after=after, limit=_PAGE)
            return rows, sent_digests(connection, self._link.name, [row.topic for row in rows])

    def _note_survey(self, digests: Mapping[str, bytes]) -> None:
        with self._database.writing() as connection:
            replace_sent(connection, self._link.name, digests, moment(self._now()))
            drop_cleared(connection, self._brokers_of, empty_digest=EMPTY_DIGEST)

    def _note_taken(self, digests: Mapping[str, bytes]) -> None:
        cleared = [topic for topic, digest in digests.items() if digest == EMPTY_DIGEST]
        with self._database.writing() as connection:
            note_sent(connection, self._link.name, digests, moment(self._now()))
            drop_cleared(connection, self._brokers_of, empty_digest=EMPTY_DIGEST, topics=cleared)

    async def _in_database(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in a thread; while the database is down, call it again."""
        return await self._retrying(lambda: asyncio.to_thread(work, *args, **kwargs))

    async def _retrying(self, work: Callable[[], Awaitable[T]]) -> T:
        return await patiently(f"Publishing to broker {self._link.name}", work, self._timing)

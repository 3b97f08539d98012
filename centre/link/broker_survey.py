"""Reading what a broker retains of orders and reference data, before anything is published there.

Brokers send retained messages in any order, do not say which one is the last, and may cut a long run of them short
(Mosquitto does, after 1,020 by its defaults). So a marker message of our own is sent behind the subscriptions; when it
has come back and nothing else comes any longer, the run is over. Orders that the index names and that have not come are
then fetched by their own topics.
"""

import asyncio
import hashlib
import logging
from collections.abc import Collection, Mapping
from contextlib import suppress

import msgspec
from msgspec import Struct

from agent.contract.topics import encode
from centre.centre_errors import CentreError
from centre.link.broker_link import PublishRefused
from centre.link.link_settings import RetainedTiming
from centre.link.mqtt_link import MqttLink
from centre.link.received import Received
from centre.store.statements import chunks
from centre.unreadable import UNREADABLE

__all__ = ["BrokerSurvey", "Survey", "SurveyBounds", "SurveyTooLarge", "marker_topic"]

_log = logging.getLogger(__name__)

_READ_IN_TURN = ("reference/#", "order/+", "counted/#")
"""Everything that the centre publishes retained, but for acks and verdicts. The reference messages come first: the
index of orders among them must not be what the broker leaves out."""

_FETCHED_AT_ONCE = 100
"""Orders. Mosquitto queues 1,000 messages for a client by default, and some sites have it at 100."""


class SurveyTooLarge(CentreError):
    """A broker retains more than the centre may hold."""


class SurveyBounds(Struct, frozen=True, kw_only=True):
    """How much may be read. Of messages that the centre has published there itself only the topics count."""

    messages: int = 1_000_000
    bytes: int = 256 * 1024 * 1024
    """Of topics and payloads."""


class Survey(Struct, frozen=True):
    """What a broker retains. `digests` has the SHA-256 of every payload, by topic.

    `found` has the payloads of all reference messages, and of all others that the centre has not published there.
    """

    found: dict[str, bytes]
    digests: dict[str, bytes]


class _Index(Struct):
    orders: dict[str, int]


_index_decoder = msgspec.json.Decoder(_Index)


def marker_topic(site: str, client_id: str) -> str:
    """Return the topic of our marker: a request to a kiosk that does not exist, which the centre may write and read."""
    return f"kiosk/v1/{site}/agent/{client_id}/request/marker"


class BrokerSurvey:
    """One reading of what a broker retains. `take` gets the messages, `read` returns the result.

    `known` has the SHA-256 of what the centre has published there, by topic. The subscriptions stay: what is published
    afterwards keeps coming, but for what this connection publishes itself, with MQTT 5.
    """

    def __init__(
        self,
        link: MqttLink,
        *,
        known: Mapping[str, bytes],
        timing: RetainedTiming | None = None,
        bounds: SurveyBounds | None = None,
    ) -> None:
        self._link = link
        self._known = known
        self._timing = timing or RetainedTiming()
        self._bounds = bounds or SurveyBounds()
        self._marker = marker_topic(link.sites[0], link.client_id)
        self._markers_come = True
        self._markers_sent = 0
        self._markers_seen = 0
        self._found: dict[str, bytes] = {}
        self._held_bytes = 0
        self._digests: dict[str, bytes] = {}
        self._loop = asyncio.get_running_loop()
        self._last_at = self._loop.time()
        self._is_too_large = False

    def take(self, received: Received) -> None:
        """Note one message of the survey's filters, or the marker."""
        if received.topic == self._marker:
            self._markers_seen = max(self._markers_seen, _count_in(received.payload))
            return
        if received.retained:
            self._last_at = self._loop.time()
        if self._is_too_large:
            return
        topic, payload = received.topic, received.payload
        if topic not in self._digests:
            self._held_bytes += len(topic)
        self._held_bytes -= len(self._found.pop(topic, b""))
        digest = hashlib.sha256(payload).digest()
        self._digests[topic] = digest
        if self._known.get(topic) != digest or "/reference/" in topic:
            self._found[topic] = payload
            self._held_bytes += len(payload)
        if self._held_bytes > self._bounds.bytes or len(self._digests) > self._bounds.messages:
            self._is_too_large = True
            self._found, self._digests = {}, {}

    async def read(self) -> Survey:
        """Read everything. Raises LinkDown, or SurveyTooLarge: then nothing may be published there."""
        turns = [[f"kiosk/v1/{site}/{rest}" for site in self._link.sites] for rest in _READ_IN_TURN]
        try:
            await self._link.subscribe([self._marker])
            for filters in turns:
                await self._link.subscribe(filters, without_own=True)
                await self._until_quiet()
            await self._fetch_missing()
        except SurveyTooLarge:
            await self._link.unsubscribe([one for filters in turns for one in filters])
            raise
        return Survey({topic: payload for topic, payload in self._found.items() if payload}, self._digests)

    async def _until_quiet(self, wanted: Collection[str] = ()) -> None:
        """Return when the broker has sent all that it retains for the subscriptions so far, or all of `wanted`."""
        sent_at = -1e9
        goal = self._markers_sent + 1
        self._last_at = self._loop.time()
        while True:
            if self._is_too_large:
                raise SurveyTooLarge(
                    f"broker {self._link.name} retains more than {self._bounds.bytes >> 20} MiB, or than "
                    f"{self._bounds.messages} messages, of orders and reference data that are not of this centre. "
                    "Nothing is published there; clear what is not needed"
                )
            if wanted and all(topic in self._digests for topic in wanted):
                return
            now = self._loop.time()
            is_quiet = now - self._last_at >= self._timing.quiet_s
            if is_quiet and (self._markers_seen >= goal or not self._markers_come):
                return
            if now - sent_at >= self._timing.marker_s:
                if self._markers_sent - goal + 1 >= self._timing.markers and is_quiet:
                    self._do_without_markers()
                    return
                sent_at = now
                self._markers_sent += 1
                with suppress(PublishRefused):
                    await self._link.publish(self._marker, _marker(self._markers_sent), retain=False)
            await asyncio.sleep(min(self._timing.quiet_s, self._timing.marker_s) / 10)

    def _do_without_markers(self) -> None:
        self._markers_come = False
        _log.warning(
            "Broker %s does not return messages on %s: let the centre's account write and read there. "
            "What is retained may be read incompletely",
            self._link.name,
            self._marker,
        )

    async def _fetch_missing(self) -> None:
        """Subscribe to the topics of orders that the index names and that have not come."""
        for site in self._link.sites:
            missing = [topic for topic in self._indexed_topics(site) if topic not in self._digests]
            for topics in chunks(missing, _FETCHED_AT_ONCE):
                await self._link.subscribe(topics, without_own=True)
                await self._until_quiet(topics)
                await self._link.unsubscribe(topics)

    def _indexed_topics(self, site: str) -> list[str]:
        prefix = f"kiosk/v1/{site}/reference/orders"
        topics: list[str] = []
        for topic, payload in self._found.items():
            if topic == prefix or topic.startswith(prefix + "/"):
                try:
                    index = _index_decoder.decode(payload)
                except UNREADABLE:
                    continue  # adoption reports it
                topics += [f"kiosk/v1/{site}/order/{encode(order)}" for order in index.orders]
        return topics


def _marker(count: int) -> bytes:
    return msgspec.json.encode({"transaction": f"marker-{count}"})


def _count_in(payload: bytes) -> int:
    """Return the number of a marker; 0 if it is none of ours."""
    digits = payload.removeprefix(b'{"transaction":"marker-').removesuffix(b'"}')
    return int(digits) if digits.isdigit() and len(digits) < 10 else 0

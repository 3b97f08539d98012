"""Requests to kiosks, and their answers (`mqtt.md#requests`)."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from centre.centre_errors import CentreError, LinkDown
from centre.link.broker_link import BrokerLink, PublishRefused
from centre.link.received import Received
from centre.unreadable import UNREADABLE

__all__ = ["KioskRequests", "KioskSilent"]

ANSWER_S = 10.0
"""How long a kiosk has to answer."""

_ANSWER_MAX_BYTES = 64 * 1024


class KioskSilent(CentreError, TimeoutError):
    """The kiosk has not answered in time."""


class _Pending(Struct, frozen=True):
    """One request without an answer. Only the kiosk that was asked may answer."""

    topic: str
    answer: "asyncio.Future[dict[str, Any]]"


class KioskRequests:
    """Sends requests over every broker of a kiosk's site, and matches the answers. For the event loop's thread.

    `serving` returns the connections to the brokers that serve a site; `new_id` makes transaction ids.
    """

    def __init__(
        self,
        serving: Callable[[str], Sequence[BrokerLink]],
        *,
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._serving = serving
        self._new_id = new_id
        self._pending: dict[str, _Pending] = {}
        self._publishes: set[asyncio.Task[None]] = set()

    async def send(
        self,
        site: str,
        kiosk: str,
        name: str,
        fields: Mapping[str, object] | None = None,
        timeout_s: float = ANSWER_S,
    ) -> dict[str, Any]:
        """Send a request and return the answer, a JSON object.

        Every broker gets it under one transaction, which the kiosk carries out once. Raises LinkDown if no broker takes
        it, KioskSilent if no answer comes in time.
        """
        transaction = self._new_id()
        topic = f"kiosk/v1/{site}/agent/{kiosk}/response/{transaction}"
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[transaction] = _Pending(topic, answer)
        try:
            async with asyncio.timeout(timeout_s):
                await self.post(site, kiosk, name, transaction, fields or {})
                return await answer
        except TimeoutError as exc:
            raise KioskSilent(f"kiosk {kiosk} of site {site} has not answered within {timeout_s:g} s") from exc
        finally:
            del self._pending[transaction]

    async def post(self, site: str, kiosk: str, name: str, transaction: str, fields: Mapping[str, object]) -> None:
        """Send a request whose answer somebody else waits for. Returns as soon as one broker has taken it.

        A broker that hangs must not hold up the others. Raises LinkDown or PublishRefused if no broker takes it.
        """
        topic = f"kiosk/v1/{site}/agent/{kiosk}/request/{name}"
        payload = msgspec.json.encode({**fields, "transaction": transaction})
        links = [link for link in self._serving(site) if link.is_connected]
        publishes = [asyncio.create_task(link.publish(topic, payload, retain=False)) for link in links]
        for one in publishes:
            self._publishes.add(one)
            one.add_done_callback(self._published)
        failure: Exception = LinkDown(f"no broker of site {site} is connected")
        for done in asyncio.as_completed(publishes):
            try:
                await done
            except (LinkDown, PublishRefused) as exc:
                failure = exc
            else:
                return
        raise failure

    def _published(self, done: "asyncio.Task[None]") -> None:
        self._publishes.discard(done)
        if not done.cancelled():
            done.exception()  # whoever waited has seen it; of a slower broker nobody wants to know

    def answered(self, received: Received) -> None:
        """Take a message of a `response` topic. Answers that nobody waits for are left out."""
        pending = self._pending.get(received.topic.rpartition("/")[2])
        if pending is None or pending.topic != received.topic or pending.answer.done():
            return
        if received.retained or len(received.payload) > _ANSWER_MAX_BYTES:
            return
        try:
            answer = msgspec.json.decode(received.payload)
        except UNREADABLE:
            return
        if isinstance(answer, dict):
            pending.answer.set_result(answer)

"""Requests to kiosks, and their answers (`mqtt.md#requests`)."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence

from msgspec import DecodeError
from msgspec.json import Decoder, encode

from centre.centre_errors import LinkDown
from centre.ingest.reception import ResponseArrival
from centre.link.broker_link import BrokerLink, PublishRefused
from centre.store.kiosk_rows import KioskName

__all__ = ["RequestSender"]

ANSWER_S = 10.0
WAITING_MAX = 1000

_ANSWER = Decoder(dict[str, object])


class RequestSender:
    """Sends requests on every broker that serves the kiosk's site, since it may be connected to any of them.

    A kiosk carries out a request once, however often it comes. Used in the event loop's thread.
    """

    def __init__(self, links: Sequence[BrokerLink], *, answer_s: float = ANSWER_S) -> None:
        self._links = links
        self._answer_s = answer_s
        self._waiting: dict[tuple[KioskName, str], asyncio.Future[Mapping[str, object]]] = {}

    async def send(self, site: str, kiosk: str, name: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """Send a request and return the answer.

        Raises LinkDown if no broker of the site is connected, TimeoutError if no answer comes.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise LinkDown("too many requests wait for an answer")
        transaction = secrets.token_hex(8)
        key = (KioskName(site, kiosk), transaction)
        answer: asyncio.Future[Mapping[str, object]] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        try:
            await self.post(site, kiosk, name, transaction, fields)
            async with asyncio.timeout(self._answer_s):
                return await answer
        finally:
            del self._waiting[key]

    async def post(self, site: str, kiosk: str, name: str, transaction: str, fields: Mapping[str, object]) -> None:
        """Send a request and do not wait for the kiosk's answer. Raises LinkDown if no broker has taken it."""
        topic = f"kiosk/v1/{site}/agent/{kiosk}/request/{name}"
        payload = encode({"transaction": transaction, **fields})
        links = [link for link in self._links if site in link.sites and link.is_connected]
        answers = await asyncio.gather(
            *(link.publish(topic, payload, retain=False) for link in links), return_exceptions=True
        )
        errors = [answer for answer in answers if answer is not None]
        for error in errors:
            if not isinstance(error, LinkDown | PublishRefused):
                raise error
        if len(errors) == len(links):
            raise LinkDown(f"no broker has taken the request for {site}/{kiosk}: {_why(errors)}")

    def answered(self, response: ResponseArrival) -> None:
        """Hand an answer to whoever waits for it; no-op if nobody does."""
        future = self._waiting.get((response.kiosk, response.transaction))
        if future is None or future.done():
            return
        try:
            future.set_result(_ANSWER.decode(response.payload))
        except (DecodeError, ValueError, RecursionError):
            return


def _why(errors: Sequence[BaseException]) -> str:
    return str(errors[0]) if errors else "none is connected"

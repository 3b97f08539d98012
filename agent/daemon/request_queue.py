"""Requests of the centre that wait for the main thread."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from agent.contract.requests import Request
from agent.daemon.thread_safe_event import ThreadSafeEvent

__all__ = ["RequestQueue"]

_log = logging.getLogger(__name__)

_WAITING_MAX = 1000
_FIELDS = ("journal", "from", "through")
"""All fields that a known request has."""
_FIELD_CHARS = 65
"""More than any value may have that is not refused."""


def _small(request: Request) -> Request:
    """Leave out what no request needs, so that a thousand of them are small."""
    fields = {
        name: value[:_FIELD_CHARS] if isinstance(value, str) else value
        for name, value in request.fields.items()
        if name in _FIELDS and not isinstance(value, list | dict)
    }
    return replace(request, fields=fields)


class RequestQueue:
    """`put` may be called by any thread; `run` answers in the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting: deque[Request] = deque()
        self._came = ThreadSafeEvent(loop)

    def put(self, request: Request) -> None:
        """Have the request answered; dropped if a thousand wait already."""
        if len(self._waiting) >= _WAITING_MAX:
            _log.warning("dropped a request: too many wait for an answer", extra={"request": request.name[:64]})
            return
        self._waiting.append(_small(request))
        self._came.set()

    async def run(self, answer: Callable[[Request], None]) -> None:
        """Answer requests as they come. Never returns."""
        while True:
            await self._came.wait()
            while self._waiting:
                answer(self._waiting.popleft())
                await asyncio.sleep(0)  # the devices have a turn between two answers

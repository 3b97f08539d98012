"""Live pages: a stream that says when something has changed; the page then fetches its live part again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from fastapi import APIRouter, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from centre.centre_errors import DatabaseDown
from centre.changes import Change, Changes, Waiter
from centre.web.access import LIVE_PATH, AccessOf, ServicesOf, address_of
from centre.web.board.viewer import ReaderOf
from centre.web.problem_details import Problem

__all__ = ["LiveStreams", "add_live_routes", "changes_for"]

_KINDS = {
    "benches": (Change.EVENTS, Change.KIOSKS, Change.ORDERS),
    "orders": (Change.EVENTS, Change.ORDERS),
}
AT_MOST_EVERY_S = 1.0
CHECK_EVERY_S = 15.0
"""How often an idle stream looks whether its session has ended. Proxies also end connections that say nothing."""


class Stream:
    """One open stream."""

    def __init__(self, viewer: str, waiter: Waiter) -> None:
        self.viewer = viewer
        self.waiter = waiter
        self.is_ended = False
        self.is_ended_for_good = True

    def end(self, *, for_good: bool) -> None:
        """Let the stream end as soon as its task gets on. `for_good`: whether the page must not open it again."""
        self.is_ended = True
        self.is_ended_for_good = for_good
        self.waiter.wake(self.waiter.kinds)


class LiveStreams:
    """The open streams. Used in the event loop's thread.

    A browser opens six connections to a server at most, and a stream takes one of them: a viewer's oldest stream ends
    when there are too many. Its page goes on by asking now and then.
    """

    def __init__(self, *, most: int = 200, most_for_one: int = 4) -> None:
        self._most = most
        self._most_for_one = most_for_one
        self._streams: list[Stream] = []

    def __len__(self) -> int:
        return len(self._streams)

    def open(self, viewer: str, waiter: Waiter) -> Stream:
        """Return a new stream for a viewer, which has ended already if there are too many in all.

        Close it with `close`.
        """
        own = [stream for stream in self._streams if stream.viewer == viewer and not stream.is_ended]
        for stream in own[: max(0, len(own) + 1 - self._most_for_one)]:
            stream.end(for_good=True)
        stream = Stream(viewer, waiter)
        stream.is_ended = len(self._streams) >= self._most
        self._streams.append(stream)
        return stream

    def end_all(self) -> None:
        """End all streams, since the centre stops. Their pages open them again once it is back."""
        for stream in self._streams:
            stream.end(for_good=False)

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        self._streams.remove(stream)


async def changes_for(
    streams: LiveStreams,
    changes: Changes,
    viewer: str,
    kinds: Iterable[Change],
    may_go_on: Callable[[], Awaitable[bool]],
) -> AsyncIterator[ServerSentEvent]:
    """Yield `changed` after each change of these kinds, at most once in `AT_MOST_EVERY_S`; `ended` at the end.

    `may_go_on`: whether the viewer may still read.
    """
    waiter = changes.subscribe(*kinds)
    stream = streams.open(viewer, waiter)
    try:
        while not stream.is_ended:
            has_changed = bool(await waiter.wait(CHECK_EVERY_S))
            if stream.is_ended or not await may_go_on():
                break
            if has_changed:
                yield ServerSentEvent(event="changed", data="")
                await asyncio.sleep(AT_MOST_EVERY_S)
        if stream.is_ended_for_good:
            yield ServerSentEvent(event="ended", data="")
    finally:
        changes.unsubscribe(waiter)
        streams.close(stream)


def add_live_routes(router: APIRouter, streams: LiveStreams) -> None:
    """Add the route of the streams."""

    @router.get(LIVE_PATH)
    async def live(request: Request, services: ServicesOf, access: AccessOf, viewer: ReaderOf) -> Response:
        kinds = _KINDS.get(request.query_params.get("of", ""))
        if kinds is None:
            raise Problem(404, "There is no such stream.")

        async def may_go_on() -> bool:
            if viewer.caller is None:
                return services.settings.web.public_read
            try:
                return await asyncio.to_thread(access.caller, request) is not None
            except DatabaseDown:
                return True

        key = viewer.caller.key if viewer.caller is not None else f"address:{address_of(request)}"
        events = changes_for(streams, services.changes, key, kinds, may_go_on)
        return EventSourceResponse(events, ping=CHECK_EVERY_S)

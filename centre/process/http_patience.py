"""How long the web server waits for a client: one that dawdles must not keep a connection for ever.

uvicorn waits without end for the rest of a request, and for a client that does not read its answer. Some hundred such
connections, from one machine and without any sign-in, would take all file descriptors: then no broker and no database
can be reached either.
"""

import asyncio
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["PatientHttp"]

HEAD_S = 20.0
"""For the head of a request to arrive, from the connection or its first byte on."""
BODY_S = 300.0
"""For the body to arrive: the largest file that is imported, over a slow line."""
READ_S = 60.0
"""For a client to go on reading, once the network takes no more of an answer."""
CONNECTIONS_MAX = 600
"""More are closed at once. A process may have 1,024 open files where nobody has set another limit."""


class PatientHttp(H11Protocol):
    """uvicorn's protocol for one connection, which ends when a time is over."""

    _phase: object = None
    _due: asyncio.TimerHandle | None = None
    _reading_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
        else:
            self._due = self.loop.call_later(HEAD_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._due, self._reading_due):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading_due = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading_due is not None:
            self._reading_due.cancel()
            self._reading_due = None

    def _watch(self) -> None:
        """Start the time of what is awaited now, unless it runs already."""
        state = cast(Any, self.conn.their_state)
        has_begun = state is h11.IDLE and bool(self.conn.trailing_data[0])
        phase = (state, has_begun, id(self.cycle))
        if phase == self._phase or self.transport.is_closing():
            return
        self._phase = phase
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if state is h11.SEND_BODY:
            self._due = self.loop.call_later(BODY_S, self.transport.abort)
        elif has_begun:
            self._due = self.loop.call_later(HEAD_S, self.transport.abort)

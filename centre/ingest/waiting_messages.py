"""Messages between the brokers and the store: a queue that is bounded by number and by bytes."""

import asyncio
from collections import deque

from centre.link.received import Received

__all__ = ["WaitingMessages"]


class WaitingMessages:
    """First in, first out. Used in the event loop's thread.

    `put` waits while the queue is full: the link then stops reading its socket, and the broker keeps what follows.
    """

    def __init__(self, *, messages: int = 3000, payload_bytes: int = 16 * 1024 * 1024) -> None:
        self._messages = messages
        self._payload_bytes = payload_bytes
        self._queue: deque[Received] = deque()
        self._bytes = 0
        self._has_message = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def __len__(self) -> int:
        return len(self._queue)

    async def put(self, message: Received) -> None:
        """Add a message, when there is room."""
        while not self._has_room.is_set():
            await self._has_room.wait()
        self._queue.append(message)
        self._bytes += len(message.payload)
        if len(self._queue) >= self._messages or self._bytes >= self._payload_bytes:
            self._has_room.clear()
        self._has_message.set()

    async def take(self, most: int) -> list[Received]:
        """Return the messages that are there, at most `most`. Waits for the first one."""
        await self._has_message.wait()
        batch = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
        self._bytes -= sum(len(message.payload) for message in batch)
        if not self._queue:
            self._has_message.clear()
        if len(self._queue) < self._messages and self._bytes < self._payload_bytes:
            self._has_room.set()
        return batch

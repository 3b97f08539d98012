"""Tasks and messages from other threads for the scan path's thread."""

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.daemon.scan_path import ScanPath

__all__ = ["MESSAGES_MAX", "TaskQueue"]

MESSAGES_MAX = 32
"""How many messages may wait before the thread that adds them has to wait."""

_ROOM_POLL_S = 0.002

Task = Callable[["ScanPath"], object]
"""Called in the scan path's thread, with the scan path."""


class TaskQueue:
    """Two queues, first in, first out. `wake` makes the scan path's thread look at them."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._tasks: deque[Task] = deque()
        self._messages: deque[Task] = deque()

    def __bool__(self) -> bool:
        return bool(self._tasks or self._messages)

    # -- any thread --------------------------------------------------------------------------------------------------

    def post(self, task: Task) -> None:
        """Run the task in the scan path's thread, after the next scan at the latest if no other task waits."""
        self._tasks.append(task)
        self._wake()

    def tell(self, *messages: Task) -> None:
        """Run these in the scan path's thread, each when no scan waits, or else after the next scan.

        So a scan waits for one message at most, however many come.
        """
        self._messages.extend(messages)
        self._wake()

    def wait_for_room(self, timeout_s: float) -> None:
        """Block until few messages wait, so that a flood of messages fills the network's buffers and not the memory.

        Not for the scan path's thread. Returns after `timeout_s` at the latest.
        """
        until = time.monotonic() + timeout_s
        while len(self._messages) >= MESSAGES_MAX and time.monotonic() < until:
            time.sleep(_ROOM_POLL_S)

    # -- the scan path's thread --------------------------------------------------------------------------------------

    def next_task(self) -> Task | None:
        """Return the task whose turn it is, or None."""
        return self._tasks.popleft() if self._tasks else None

    def next_message(self) -> Task | None:
        """Return the message whose turn it is, or None."""
        return self._messages.popleft() if self._messages else None

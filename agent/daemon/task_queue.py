"""What other threads hand to the scan path's thread."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.daemon.scan_path import ScanPath

__all__ = ["TaskQueue"]

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
        """Have the task run after the next scan at the latest, if no other task waits."""
        self._tasks.append(task)
        self._wake()

    def tell(self, *messages: Task) -> None:
        """Have these run, each when no scan waits, or else after the next scan.

        So a scan waits for one message at most, however many come.
        """
        self._messages.extend(messages)
        self._wake()

    # -- the scan path's thread --------------------------------------------------------------------------------------

    def next_task(self) -> Task | None:
        """Return the task whose turn it is, or None."""
        return self._tasks.popleft() if self._tasks else None

    def next_message(self) -> Task | None:
        """Return the message whose turn it is, or None."""
        return self._messages.popleft() if self._messages else None

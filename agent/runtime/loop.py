"""What drivers need of an event loop: `agent.runtime.event_loop`'s, or asyncio's."""

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Loop", "Timer"]


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """It shall not come. Twice, or once it has come, is fine."""


class Loop(Protocol):
    """Calls back when descriptors are readable and when times have come, one call at a time.

    All but `call_soon_threadsafe` is for its callbacks, and for whoever has it before it runs. Times are monotonic
    seconds.
    """

    def time(self) -> float: ...

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> Timer: ...

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer: ...

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> Timer: ...

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any) -> object: ...

    def add_reader(self, fd: int, callback: Callable[..., Any], *args: Any) -> None:
        """Call while the descriptor is readable or dead; in the place of what was called for it before.

        Raises OSError for one that cannot be waited for.
        """

    def remove_reader(self, fd: int) -> object:
        """Call no more; one that is not waited for is fine."""

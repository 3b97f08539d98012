"""What was asked of a broker and has not been answered yet."""

import asyncio
import math
from typing import Generic, TypeVar

from centre.centre_errors import CentreError

__all__ = ["Unanswered"]

T = TypeVar("T")


class Unanswered(Generic[T]):
    """Questions by the token under which the answer comes. Each is a future with the answer, or an error."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._asked: dict[int, tuple[float, asyncio.Future[T]]] = {}

    @property
    def oldest(self) -> float:
        """When the oldest question was asked, by the event loop's clock; infinity if there is none."""
        return next((at for at, _ in self._asked.values()), math.inf)

    def ask(self, token: int) -> "asyncio.Future[T]":
        """Note a question that goes out now."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._asked[token] = (self._loop.time(), future)
        return future

    def answer(self, token: int, answer: T) -> None:
        """Note an answer. No-op for a token that is not known."""
        future = self._taken(token)
        if future is not None:
            future.set_result(answer)

    def fail(self, token: int, error: CentreError) -> None:
        """Note an answer that is an error. No-op for a token that is not known."""
        future = self._taken(token)
        if future is not None:
            future.set_exception(error)

    def fail_all(self, error: CentreError) -> None:
        """Give all questions this error as the answer."""
        for token in list(self._asked):
            future = self._taken(token)
            if future is not None:
                future.set_exception(error)
                future.exception()  # nobody may be waiting for it any more

    def _taken(self, token: int) -> "asyncio.Future[T] | None":
        _, future = self._asked.pop(token, (0.0, None))
        return None if future is None or future.done() else future

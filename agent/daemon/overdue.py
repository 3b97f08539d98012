"""Decisions about what the centre says that wait until the journal can be written: merged, so that few wait."""

from collections.abc import Callable

from msgspec import Struct

__all__ = ["VERDICTS_MAX", "Overdue", "Subject"]

Subject = tuple[str, str]
"""What a decision is about: a kind, such as `verdict`, and an id."""

VERDICTS_MAX = 10_000


class _Waiting(Struct, frozen=True):
    act: Callable[[], None]
    revision: int


class Overdue:
    """In the order in which their subjects came. A newer decision about a subject replaces the one that waits.

    For one thread. Only verdicts can be many: beyond 10,000 the oldest is dropped, and `has_dropped` is set, so that
    the broker can be asked for them again. (`mqtt.md#bounded-memory`)
    """

    def __init__(self) -> None:
        self._waiting: dict[Subject, _Waiting] = {}
        self._verdicts: dict[Subject, None] = {}
        self.has_dropped = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, subject: Subject, act: Callable[[], None], *, revision: int = 0) -> None:
        """Have `act` called later. A lower revision than the one that waits is ignored."""
        known = self._waiting.get(subject)
        if known is not None and revision < known.revision:
            return
        self._waiting[subject] = _Waiting(act, revision)
        if subject[0] == "verdict":
            self._verdicts[subject] = None
            if len(self._verdicts) > VERDICTS_MAX:
                self._drop(next(iter(self._verdicts)))
                self.has_dropped = True

    def take_first(self) -> Callable[[], None]:
        """Return the first act, which waits no longer. There must be one."""
        subject = next(iter(self._waiting))
        act = self._waiting[subject].act
        self._drop(subject)
        return act

    def _drop(self, subject: Subject) -> None:
        del self._waiting[subject]
        self._verdicts.pop(subject, None)

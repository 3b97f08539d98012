"""What lies in a box, entry by entry: a sequence that never changes, and that grows without being copied."""

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import Struct

from agent.contract.events import Unit

__all__ = ["Entries", "Entry"]

_CHUNK = 16
"""A box grows by copying fewer entries than this; every so many entries, its list of full chunks is copied too."""


class Entry(Struct, frozen=True, kw_only=True):
    """What one accepted event put into a box and is still there.

    `sequence` is the event's own; `scan` that of the first event of the same scan: UNDO voids what one scan counted.
    """

    sequence: int
    scan: int
    line: str
    sku: str
    unit: Unit | None
    quantity: int


class Entries(Struct, frozen=True):
    """Entries, oldest first: `full` chunks of equal length, and the newest in `tail`, which is never left full.

    A box may hold thousands, and every scan adds one: a plain tuple would be copied, entry by entry, each time.
    Make one of entries that exist by `Entries.of`; equal sequences are equal.
    """

    full: tuple[tuple[Entry, ...], ...] = ()
    tail: tuple[Entry, ...] = ()

    @staticmethod
    def of(entries: Iterable[Entry]) -> "Entries":
        every = tuple(entries)
        cut = len(every) - len(every) % _CHUNK
        return Entries(tuple(every[at : at + _CHUNK] for at in range(0, cut, _CHUNK)), every[cut:])

    def with_entry(self, entry: Entry) -> "Entries":
        """These and a newer one."""
        tail = (*self.tail, entry)
        return Entries(self.full, tail) if len(tail) < _CHUNK else Entries((*self.full, tail))

    def has_line(self, line: str) -> bool:
        """Whether something of a line lies there; the newest entries, which are likely to be of it, are asked first."""
        for entry in reversed(self.tail):
            if entry.line == line:
                return True
        return any(entry.line == line for chunk in reversed(self.full) for entry in chunk)

    def __len__(self) -> int:
        return len(self.full) * _CHUNK + len(self.tail)

    def __iter__(self) -> Iterator[Entry]:
        return chain(chain.from_iterable(self.full), self.tail)

    def __reversed__(self) -> Iterator[Entry]:
        return chain(reversed(self.tail), chain.from_iterable(map(reversed, reversed(self.full))))

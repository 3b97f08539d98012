"""Decide which segments may be pruned. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from agent.journal.segments import Segment

__all__ = ["merged", "prunable"]


def merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the same positions as the fewest possible (first, last) ranges, sorted."""
    result: list[tuple[int, int]] = []
    for first, last in sorted(one for one in ranges if one[0] <= one[1]):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return tuple(result)


def prunable(
    segments: Iterable[Segment], *, delivered: int, sealed_before_s: float, pinned: Sequence[tuple[int, int]]
) -> Iterator[Segment]:
    """Yield the closed segments that are delivered, sealed by `sealed_before_s`, and hold no pinned position."""
    pins = merged(pinned)
    ends = [last for _, last in pins]
    for segment in segments:
        pin = bisect_left(ends, segment.first_position)
        free = pin == len(pins) or pins[pin][0] > segment.last_position
        if free and segment.last_position <= delivered and segment.age_s <= sealed_before_s:
            yield segment

"""Which segments may be pruned."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.journal.pruning import merged, prunable
from agent.journal.segments import Segment

RANGES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)))


def segments(size: int = 5, count: int = 10) -> list[Segment]:
    return [
        Segment(index=i, first_position=i * size + 1, last_position=(i + 1) * size, end=99, age_s=i * 10, capacity=99)
        for i in range(count)
    ]


@given(RANGES)
def test_merged_holds_the_same_positions_in_separate_ranges(ranges: list[tuple[int, int]]) -> None:
    result = merged(ranges)
    assert {p for first, last in result for p in range(first, last + 1)} == {
        p for first, last in ranges for p in range(first, last + 1)
    }
    assert all(a[1] + 1 < b[0] for a, b in pairwise(result))


@given(pinned=RANGES, delivered=st.integers(0, 50), age_s=st.integers(-1, 100))
def test_prunable_keeps_what_is_pinned_or_undelivered_or_young(
    pinned: list[tuple[int, int]], delivered: int, age_s: int
) -> None:
    """(`mqtt.md#pruning`)"""
    pins = {p for first, last in pinned for p in range(first, last + 1)}
    expected = [
        segment.index
        for segment in segments()
        if segment.last_position <= delivered
        and segment.age_s <= age_s
        and not pins & set(range(segment.first_position, segment.last_position + 1))
    ]
    found = prunable(segments(), delivered=delivered, sealed_before_s=age_s, pinned=pinned)
    assert [segment.index for segment in found] == expected

from hypothesis import given
from hypothesis import strategies as st

from agent.catalogue.cache import place_of, shard_of
from agent.catalogue.stored import Change, Forgotten, StoredOrder, StoredReference
from agent.catalogue.unsaved import PACE_S, Unsaved
from agent.contract.manifest import Status

OPERATORS = StoredReference(name="operators", source="{}")


def order(id: str, revision: int = 1) -> StoredOrder:
    return StoredOrder(order=id, revision=revision, status=Status.OPEN, codes=(id,), source=b"{}")


def gathered(*changes: Change) -> Unsaved:
    unsaved = Unsaved()
    unsaved.add(changes)
    return unsaved


NAMES = [f"SO-{n}" for n in range(200)]
FIRST, SECOND = (order(name) for name in NAMES[:2])
BESIDE_FIRST = next(order(name) for name in NAMES[2:] if shard_of(name) == shard_of(FIRST.order))


def test_nothing_gathered_is_nothing_to_write() -> None:
    unsaved = Unsaved()
    assert unsaved.take(0.0, is_quiet=True) == []
    assert unsaved.take_all() == []
    assert not unsaved


def test_changes_of_one_file_are_written_together_and_those_that_waited_longest_first() -> None:
    unsaved = gathered(FIRST, SECOND, BESIDE_FIRST)
    assert unsaved.take(0.0, is_quiet=True) == [FIRST, BESIDE_FIRST]
    assert unsaved.take(0.0, is_quiet=True) == [SECOND]
    assert not unsaved


def test_what_never_waits_keeps_nothing_else_waiting() -> None:
    unsaved = gathered(FIRST)
    assert unsaved.take(0.0, is_quiet=False) == [FIRST]
    unsaved.add([SECOND])
    written = []
    for moment in range(1, 10):
        unsaved.add([OPERATORS])
        while changes := unsaved.take(moment * PACE_S / 2, is_quiet=False):
            written += changes
    assert SECOND in written


def test_of_one_order_only_the_newest_is_written() -> None:
    unsaved = gathered(FIRST, order(FIRST.order, 2), SECOND, Forgotten(order=SECOND.order))
    assert len(unsaved) == 2
    assert unsaved.take_all() == [order(FIRST.order, 2), Forgotten(order=SECOND.order)]


def test_while_scans_come_files_of_orders_keep_apart() -> None:
    unsaved = gathered(FIRST, SECOND)
    assert unsaved.take(10.0, is_quiet=False) == [FIRST]
    assert unsaved.take(10.0 + 0.9 * PACE_S, is_quiet=False) == []
    assert unsaved.take(10.0 + PACE_S, is_quiet=False) == [SECOND]


def test_what_gathers_while_scans_come_is_written_at_once_when_they_end() -> None:
    unsaved = gathered(FIRST, SECOND)
    assert unsaved.take(10.0, is_quiet=False) == [FIRST]
    assert unsaved.take(10.0, is_quiet=True) == [SECOND]


def test_who_may_work_waits_for_no_scan_and_for_no_order() -> None:
    unsaved = gathered(FIRST, SECOND)
    assert unsaved.take(10.0, is_quiet=False) == [FIRST]
    unsaved.add([OPERATORS])
    assert unsaved.take(10.0, is_quiet=False) == [OPERATORS]
    assert unsaved.take(10.0, is_quiet=False) == []


def test_what_could_not_be_written_comes_behind_what_waits() -> None:
    unsaved = gathered(FIRST, SECOND)
    unsaved.add(unsaved.take(0.0, is_quiet=True))
    assert [unsaved.take(0.0, is_quiet=True) for _ in range(2)] == [[SECOND], [FIRST]]


@given(st.lists(st.tuples(st.sampled_from(NAMES[:9]), st.integers(1, 3)).map(lambda one: order(*one)), max_size=30))
def test_all_is_written_in_the_end_however_scans_come(changes: list[StoredOrder]) -> None:
    unsaved = Unsaved()
    written: dict[str, Change] = {}
    now = 0.0
    for change in changes:
        unsaved.add([change])
        now += PACE_S / 3
        written |= {place_of(one)[1]: one for one in unsaved.take(now, is_quiet=False)}
    while unsaved:
        now += PACE_S
        written |= {place_of(one)[1]: one for one in unsaved.take(now, is_quiet=False)}
    assert written == {change.order: change for change in changes}

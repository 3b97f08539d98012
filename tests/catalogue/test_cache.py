"""The cache: what is saved is loaded, and when it is saved.

Rules: `faults.md#network-down`, `faults.md#damaged-cache`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.catalogue.cache import (
    PACE_S,
    SHARDS,
    Cache,
    Change,
    Forgotten,
    Loaded,
    StoredOrder,
    StoredReference,
    references_in,
    shard_of,
)
from agent.contract.manifest import Status
from agent.errors import CacheDamaged

OPERATORS = StoredReference(name="operators", source='{"revision":1}')
BLOCKED = StoredReference(name="blocked/ü/1", source='{"revision":2}')


def order(id: str, revision: int = 1) -> StoredOrder:
    return StoredOrder(
        order=id, revision=revision, status=Status.WITHDRAWN, codes=(id.upper(), "É"), source='{"é":"\\u0000"}'
    )


ORDERS = [order(f"SO/{n}") for n in range(300)]
FIRST, SECOND = ORDERS[:2]
BESIDE_FIRST = next(one for one in ORDERS[2:] if shard_of(one.order) == shard_of(FIRST.order))


def saved(directory: Path, *changes: Change) -> Cache:
    """A cache that has saved these changes."""
    cache = Cache(directory)
    cache.add(changes)
    cache.save_all()
    assert cache.waiting == 0
    return cache


def loaded(directory: Path) -> tuple[set[StoredOrder], set[StoredReference], tuple[str, ...]]:
    found = Cache(directory).load()
    assert len(found.orders) == len(set(found.orders))
    return set(found.orders), set(found.references), found.damaged


def waiting(directory: Path, *changes: Change) -> Cache:
    """A cache in which these changes wait."""
    cache = Cache(directory)
    cache.add(changes)
    return cache


# -- what is saved is loaded -------------------------------------------------------------------------------------


def test_nothing_saved_is_nothing_loaded(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert cache.load() == Loaded()
    assert not cache.save_all()
    assert not cache.save(0.0, is_quiet=True)
    assert not (tmp_path / "cache").exists()


def test_start_with_an_empty_cache_imports_neither_tinydb_nor_pydantic(tmp_path: Path) -> None:
    """Rule: budgets.md#start."""
    script = (
        "import pathlib, sys\n"
        "from agent.catalogue.cache import Cache\n"
        "from agent.catalogue.catalogue import Catalogue\n"
        "Catalogue().restore(Cache(pathlib.Path(sys.argv[1])).load())\n"
        "print(sorted({'tinydb', 'pydantic', 'pydantic_core'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "cache"
    saved(directory, *ORDERS, OPERATORS, BLOCKED)
    assert loaded(directory) == (set(ORDERS), {OPERATORS, BLOCKED}, ())
    assert len(os.listdir(directory)) == SHARDS + 1


def test_changes_replace_and_forget(tmp_path: Path) -> None:
    cache = saved(tmp_path, *ORDERS, OPERATORS)
    newer = StoredReference(name="operators", source='{"revision":2}')
    cache.add([Forgotten(order="SO/1"), Forgotten(order="never"), order("SO/2", 7), order("SO/2", 8), newer])
    cache.save_all()
    left = {one for one in ORDERS if one.order not in ("SO/1", "SO/2")}
    assert loaded(tmp_path) == (left | {order("SO/2", 8)}, {newer}, ())


def test_change_rewrites_only_its_own_file(tmp_path: Path) -> None:
    cache = saved(tmp_path, *ORDERS, OPERATORS)
    before = {entry.name: entry.inode() for entry in os.scandir(tmp_path)}
    cache.add([order("SO/2", 2)])
    cache.save_all()
    after = {entry.name: entry.inode() for entry in os.scandir(tmp_path)}
    assert {name for name in before if before[name] != after[name]} == {shard_of("SO/2")}


def test_many_files_are_written_with_one_flush_of_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    whole_at_flush: list[int] = []

    def note(directory: Path) -> None:
        flushed.append(directory)
        whole_at_flush.append(len(list(directory.glob("*.db"))))

    monkeypatch.setattr("agent.catalogue.cache.sync_directory", note)
    saved(tmp_path, *ORDERS, OPERATORS)
    assert (flushed, whole_at_flush) == ([tmp_path], [SHARDS + 1])


def test_shards_do_not_change_between_versions() -> None:
    assert [shard_of(id) for id in ("SO-1001", "SO/2026/0017", "Ä")] == ["orders-05.db", "orders-28.db", "orders-11.db"]


def test_reference_messages_are_read_beside_a_running_kiosk(tmp_path: Path) -> None:
    assert references_in(tmp_path / "none") == Loaded()
    saved(tmp_path, *ORDERS, OPERATORS, BLOCKED)
    assert set(references_in(tmp_path).references) == {OPERATORS, BLOCKED}
    (tmp_path / "reference.db").write_bytes(b"{}")
    with pytest.raises(CacheDamaged, match=r"reference\.db cannot be read"):
        references_in(tmp_path)
    assert (tmp_path / "reference.db").read_bytes() == b"{}"


def test_disk_that_takes_nothing_is_reported_and_a_later_save_works(tmp_path: Path) -> None:
    in_the_way = tmp_path / "cache"
    in_the_way.write_bytes(b"")
    cache = waiting(in_the_way, OPERATORS)
    with pytest.raises(OSError, match="exists"):
        cache.save_all()
    assert cache.load().references == ()
    in_the_way.unlink()
    cache.save_all()
    assert cache.load().references == (OPERATORS,)


# -- when it is saved --------------------------------------------------------------------------------------------


def test_changes_of_one_file_are_written_together_and_those_that_waited_longest_first(tmp_path: Path) -> None:
    cache = waiting(tmp_path, FIRST, SECOND, BESIDE_FIRST)
    assert cache.save(0.0, is_quiet=True)
    assert loaded(tmp_path) == ({FIRST, BESIDE_FIRST}, set(), ())
    assert cache.save(0.0, is_quiet=True)
    assert loaded(tmp_path) == ({FIRST, BESIDE_FIRST, SECOND}, set(), ())
    assert cache.waiting == 0
    assert not cache.save(0.0, is_quiet=True)


def test_what_never_waits_keeps_nothing_else_waiting(tmp_path: Path) -> None:
    cache = waiting(tmp_path, FIRST)
    assert cache.save(0.0, is_quiet=False)
    cache.add([SECOND])
    for moment in range(1, 10):
        cache.add([OPERATORS])
        while cache.save(moment * PACE_S / 2, is_quiet=False):
            pass
    assert SECOND in loaded(tmp_path)[0]


def test_of_one_order_only_the_newest_is_written(tmp_path: Path) -> None:
    cache = waiting(tmp_path, FIRST, order(FIRST.order, 2), SECOND, Forgotten(order=SECOND.order))
    assert cache.waiting == 2
    cache.save_all()
    assert loaded(tmp_path) == ({order(FIRST.order, 2)}, set(), ())


def test_while_scans_come_files_of_orders_keep_apart(tmp_path: Path) -> None:
    cache = waiting(tmp_path, FIRST, SECOND)
    assert cache.save(10.0, is_quiet=False)
    assert not cache.save(10.0 + 0.9 * PACE_S, is_quiet=False)
    assert loaded(tmp_path)[0] == {FIRST}
    assert cache.save(10.0 + PACE_S, is_quiet=False)
    assert loaded(tmp_path)[0] == {FIRST, SECOND}


def test_what_gathers_while_scans_come_is_written_at_once_when_they_end(tmp_path: Path) -> None:
    cache = waiting(tmp_path, FIRST, SECOND)
    assert cache.save(10.0, is_quiet=False)
    assert cache.save(10.0, is_quiet=True)
    assert loaded(tmp_path)[0] == {FIRST, SECOND}


def test_who_may_work_waits_for_no_scan_and_for_no_order(tmp_path: Path) -> None:
    cache = waiting(tmp_path, FIRST, SECOND)
    assert cache.save(10.0, is_quiet=False)
    cache.add([OPERATORS])
    assert cache.save(10.0, is_quiet=False)
    assert loaded(tmp_path) == ({FIRST}, {OPERATORS}, ())
    assert not cache.save(10.0, is_quiet=False)


def test_what_could_not_be_written_comes_behind_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = waiting(tmp_path, FIRST, SECOND)
    with monkeypatch.context() as patched:
        patched.setattr("agent.catalogue.cache.sync_directory", _fail)
        with pytest.raises(OSError, match="no room"):
            cache.save(0.0, is_quiet=True)
    assert cache.waiting == 2
    (tmp_path / shard_of(FIRST.order)).unlink()
    assert cache.save(0.0, is_quiet=True)
    assert loaded(tmp_path)[0] == {SECOND}
    assert cache.save(0.0, is_quiet=True)
    assert loaded(tmp_path)[0] == {FIRST, SECOND}


def _fail(directory: Path) -> None:
    raise OSError("no room")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    changes=st.lists(
        st.builds(order, st.sampled_from([one.order for one in ORDERS[:9]]), st.integers(1, 3)), max_size=30
    )
)
def test_all_is_written_in_the_end_however_scans_come(
    tmp_path_factory: pytest.TempPathFactory, changes: list[StoredOrder]
) -> None:
    directory = tmp_path_factory.mktemp("cache")
    cache = Cache(directory)
    now = 0.0
    for change in changes:
        cache.add([change])
        now += PACE_S / 3
        cache.save(now, is_quiet=False)
    while cache.waiting:
        now += PACE_S
        cache.save(now, is_quiet=False)
    assert loaded(directory)[0] == set({change.order: change for change in changes}.values())

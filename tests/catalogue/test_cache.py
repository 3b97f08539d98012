import os
from pathlib import Path

import pytest

from agent.catalogue.cache import SHARDS, Cache, shard_of
from agent.catalogue.storage import replace_documents
from agent.catalogue.stored import Forgotten, Loaded, StoredOrder, StoredReference
from agent.contract.manifest import Status

OPERATORS = StoredReference(name="operators", source='{"revision":1}')
BLOCKED = StoredReference(name="blocked/ü/1", source='{"revision":2}')


def order(id: str, revision: int = 1) -> StoredOrder:
    return StoredOrder(
        order=id, revision=revision, status=Status.WITHDRAWN, codes=(id.upper(), "É"), source='{"é":"\\u0000"}'.encode()
    )


ORDERS = [order(f"SO/{n}") for n in range(300)]


def loaded(directory: Path) -> tuple[set[StoredOrder], set[StoredReference], tuple[str, ...]]:
    found = Cache(directory).load()
    assert len(found.orders) == len(set(found.orders))
    return set(found.orders), set(found.references), found.damaged


def test_nothing_saved_is_nothing_loaded(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert cache.load() == Loaded(orders=(), references=(), damaged=())
    assert cache.save([]) == ()
    assert not (tmp_path / "cache").exists()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "cache"
    assert Cache(directory).save([*ORDERS, OPERATORS, BLOCKED]) == ()
    assert loaded(directory) == (set(ORDERS), {OPERATORS, BLOCKED}, ())
    assert len(os.listdir(directory)) == SHARDS + 1


def test_changes_replace_and_forget(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.save([*ORDERS, OPERATORS])
    newer = StoredReference(name="operators", source='{"revision":2}')
    cache.save([Forgotten(order="SO/1"), Forgotten(order="never"), order("SO/2", 7), order("SO/2", 8), newer])
    left = {one for one in ORDERS if one.order not in ("SO/1", "SO/2")}
    assert loaded(tmp_path) == (left | {order("SO/2", 8)}, {newer}, ())


def test_change_rewrites_only_its_own_file(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.save([*ORDERS, OPERATORS])
    before = {entry.name: entry.inode() for entry in os.scandir(tmp_path)}
    cache.save([order("SO/2", 2)])
    after = {entry.name: entry.inode() for entry in os.scandir(tmp_path)}
    assert {name for name in before if before[name] != after[name]} == {shard_of("SO/2")}


def test_many_files_are_written_with_one_flush_of_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    whole_at_flush: list[int] = []

    def note(directory: Path) -> None:
        flushed.append(directory)
        whole_at_flush.append(len(list(directory.glob("*.db"))))

    monkeypatch.setattr("agent.catalogue.cache.sync_directory", note)
    Cache(tmp_path).save([*ORDERS, OPERATORS])
    assert (flushed, whole_at_flush) == ([tmp_path], [SHARDS + 1])


def test_shards_do_not_change_between_versions() -> None:
    assert [shard_of(id) for id in ("SO-1001", "SO/2026/0017", "Ä")] == ["orders-05.db", "orders-28.db", "orders-11.db"]


@pytest.mark.parametrize("damage", [b"", b"\x00" * 512, b"kiosk-cache-1 00000000 0", None])
def test_damaged_shard_loses_only_its_own_orders(tmp_path: Path, damage: bytes | None) -> None:
    cache = Cache(tmp_path)
    cache.save([*ORDERS, OPERATORS])
    name = shard_of("SO/5")
    path = tmp_path / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" + whole[len(whole) // 2 + 1 :] if damage is None else damage)
    left = {one for one in ORDERS if shard_of(one.order) != name}
    assert loaded(tmp_path) == (left, {OPERATORS}, (name,))
    assert (tmp_path / f"{name}.damaged").exists()
    assert loaded(tmp_path) == (left, {OPERATORS}, ())
    assert cache.save([order("SO/5")]) == ()
    assert loaded(tmp_path) == (left | {order("SO/5")}, {OPERATORS}, ())


def test_damaged_reference_loses_no_order(tmp_path: Path) -> None:
    Cache(tmp_path).save([*ORDERS, OPERATORS])
    (tmp_path / "reference.db").write_bytes(b"{}")
    assert loaded(tmp_path) == (set(ORDERS), set(), ("reference.db",))


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_load_never_raises_for_a_byte_that_flipped(tmp_path: Path, place: int) -> None:
    Cache(tmp_path).save([order("A"), order("B")])
    path = tmp_path / shard_of("A")
    whole = bytearray(path.read_bytes())
    place %= len(whole)
    whole[place] ^= 0xFF
    path.write_bytes(whole)
    assert loaded(tmp_path) == ({order("B")}, set(), (path.name,))


def test_document_of_another_form_is_damage(tmp_path: Path) -> None:
    Cache(tmp_path).save([OPERATORS])
    replace_documents(tmp_path / "orders-00.db", [{"key": "A", "revision": 1, "status": "lost", "codes": []}])
    assert loaded(tmp_path) == (set(), {OPERATORS}, ("orders-00.db",))


def test_folder_in_the_place_of_a_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "orders-00.db").mkdir()
    assert loaded(tmp_path) == (set(), set(), ("orders-00.db",))


def test_file_damaged_while_running_is_begun_anew(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.save([OPERATORS])
    (tmp_path / "reference.db").write_bytes(b"?")
    assert cache.save([BLOCKED]) == ("reference.db",)
    assert loaded(tmp_path) == (set(), {BLOCKED}, ())


def test_half_written_file_of_a_power_cut_is_swept_away(tmp_path: Path) -> None:
    Cache(tmp_path).save([OPERATORS])
    (tmp_path / "reference.db.tmp").write_bytes(b"kiosk")
    assert loaded(tmp_path) == (set(), {OPERATORS}, ())
    assert os.listdir(tmp_path) == ["reference.db"]


def test_disk_that_takes_nothing_is_reported_and_a_later_save_works(tmp_path: Path) -> None:
    in_the_way = tmp_path / "cache"
    in_the_way.write_bytes(b"")
    cache = Cache(in_the_way)
    with pytest.raises(OSError, match="exists"):
        cache.save([OPERATORS])
    assert cache.load().references == ()
    in_the_way.unlink()
    cache.save([OPERATORS])
    assert cache.load().references == (OPERATORS,)

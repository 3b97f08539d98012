"""The files of the cache: they survive a power cut, and damage costs only what was in a file.

Rules: `faults.md#damaged-cache`, `faults.md#power-cut`.
"""

import errno
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB

from agent.catalogue.cache import DurableStorage, StoredReference, shard_of
from agent.errors import CacheDamaged
from agent.runtime.durable import sync_directory
from tests.catalogue.test_cache import BLOCKED, OPERATORS, ORDERS, loaded, order, saved

DOCUMENTS: list[dict[str, Any]] = [{"key": "A", "source": 'é\n"\u2028\x1d'}, {"key": "B", "source": "", "n": [1]}]


def read_documents(path: Path) -> list[dict[str, Any]]:
    with TinyDB(path, storage=DurableStorage) as database:
        return [dict(document) for document in database.table("documents")]


def replace_documents(path: Path, documents: list[dict[str, Any]]) -> None:
    DurableStorage(path).write({"documents": {str(number): one for number, one in enumerate(documents, start=1)}})


# -- one file ----------------------------------------------------------------------------------------------------


def test_documents_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    assert read_documents(path) == []
    replace_documents(path, DOCUMENTS)
    assert read_documents(path) == DOCUMENTS
    replace_documents(path, DOCUMENTS[1:])
    assert read_documents(path) == DOCUMENTS[1:]
    replace_documents(path, [])
    assert read_documents(path) == []
    assert os.listdir(tmp_path) == ["a.db"]


def test_storage_keeps_tables_apart(tmp_path: Path) -> None:
    storage = DurableStorage(tmp_path / "a.db")
    tables: dict[str, dict[str, Any]] = {"one": {"1": {"a": 1}, "7": {"a": 2}}, "two": {"1": {"b": None}}}
    storage.write(tables)
    assert storage.read() == tables


def test_every_damaged_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    replace_documents(path, DOCUMENTS)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        with pytest.raises(CacheDamaged):
            read_documents(path)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    replace_documents(path, DOCUMENTS)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(CacheDamaged):
            read_documents(path)


@pytest.mark.parametrize("body", [b"[]\n", b"3\n", b'["t",[],{}]\n', b"{\n", b'["t","1",{}]\n\xff\n'])
def test_right_checksum_over_wrong_content_is_damage(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"kiosk-cache-1 %08x %d\n" % (zlib.crc32(body), len(body)) + body)
    with pytest.raises(CacheDamaged):
        read_documents(path)


# -- power cuts and full disks -----------------------------------------------------------------------------------


class Recorder:
    """Stands in for `os` in the storage: does it, and notes it by the name of the file; may fail at one call."""

    def __init__(self, fail_at: int = -1) -> None:
        self.calls: list[tuple[str, str]] = []
        self._names: dict[int, str] = {}
        self._fail_at = fail_at

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def _note(self, call: str, name: str) -> None:
        self.calls.append((call, name))
        if len(self.calls) - 1 == self._fail_at:
            raise OSError(errno.ENOSPC, "No space left on device")

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_CREAT | os.O_DIRECTORY):
            self._note("open", path.name)
        descriptor = os.open(path, flags, mode)
        self._names[descriptor] = path.name
        return descriptor

    def pwrite(self, descriptor: int, data: memoryview, offset: int) -> int:
        self._note("write", self._names[descriptor])
        return os.pwrite(descriptor, data[:100], offset)

    def fsync(self, descriptor: int) -> None:
        self._note("fsync", self._names[descriptor])
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._note("replace", f"{source.name} {target.name}")
        os.replace(source, target)


REPLACED = [
    ("open", "a.db.tmp"),
    ("write", "a.db.tmp"),
    ("fsync", "a.db.tmp"),
    ("replace", "a.db.tmp a.db"),
]


def test_new_content_is_flushed_before_it_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    monkeypatch.setattr("agent.runtime.durable.os", recorder)
    replace_documents(tmp_path / "a.db", DOCUMENTS)
    sync_directory(tmp_path)
    once = list(dict.fromkeys(recorder.calls))
    assert once == [*REPLACED, ("open", tmp_path.name), ("fsync", tmp_path.name)]
    assert recorder.calls.count(("write", "a.db.tmp")) > 1
    assert read_documents(tmp_path / "a.db") == DOCUMENTS


def test_save_writes_each_file_once_and_then_flushes_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    monkeypatch.setattr("agent.runtime.durable.os", recorder)
    saved(tmp_path, BLOCKED, OPERATORS, StoredReference(name="boxes", source="{}"))
    once = list(dict.fromkeys(recorder.calls))
    wanted = [(call, name.replace("a.db", "reference.db")) for call, name in REPLACED]
    assert once == [*wanted, ("open", tmp_path.name), ("fsync", tmp_path.name)]
    assert [call for call, _ in recorder.calls].count("replace") == 1


def _replace_and_flush(path: Path) -> None:
    replace_documents(path, DOCUMENTS)
    sync_directory(path.parent)


@pytest.mark.parametrize("fail_at", range(7))
def test_failing_disk_leaves_the_old_or_the_new_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: int
) -> None:
    path = tmp_path / "a.db"
    replace_documents(path, DOCUMENTS[:1])
    with monkeypatch.context() as patched:
        recorder = Recorder(fail_at)
        patched.setattr("agent.runtime.durable.os", recorder)
        with pytest.raises(OSError, match="No space left"):
            _replace_and_flush(path)
    replaced = any(call == "replace" for call, _ in recorder.calls[:fail_at])
    assert read_documents(path) == (DOCUMENTS if replaced else DOCUMENTS[:1])
    assert os.listdir(tmp_path) == ["a.db"]


def test_half_written_file_of_a_power_cut_is_swept_away(tmp_path: Path) -> None:
    saved(tmp_path, OPERATORS)
    (tmp_path / "reference.db.tmp").write_bytes(b"kiosk")
    assert loaded(tmp_path) == (set(), {OPERATORS}, ())
    assert os.listdir(tmp_path) == ["reference.db"]


# -- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"", b"\x00" * 512, b"kiosk-cache-1 00000000 0", None])
def test_damaged_shard_loses_only_its_own_orders(tmp_path: Path, damage: bytes | None) -> None:
    cache = saved(tmp_path, *ORDERS, OPERATORS)
    name = shard_of("SO/5")
    path = tmp_path / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" + whole[len(whole) // 2 + 1 :] if damage is None else damage)
    left = {one for one in ORDERS if shard_of(one.order) != name}
    assert loaded(tmp_path) == (left, {OPERATORS}, (name,))
    assert (tmp_path / f"{name}.damaged").exists()
    assert loaded(tmp_path) == (left, {OPERATORS}, ())
    cache.add([order("SO/5")])
    cache.save_all()
    assert loaded(tmp_path) == (left | {order("SO/5")}, {OPERATORS}, ())


def test_damaged_reference_loses_no_order(tmp_path: Path) -> None:
    saved(tmp_path, *ORDERS, OPERATORS)
    (tmp_path / "reference.db").write_bytes(b"{}")
    assert loaded(tmp_path) == (set(ORDERS), set(), ("reference.db",))


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_load_never_raises_for_a_byte_that_flipped(tmp_path: Path, place: int) -> None:
    saved(tmp_path, order("A"), order("B"))
    path = tmp_path / shard_of("A")
    whole = bytearray(path.read_bytes())
    place %= len(whole)
    whole[place] ^= 0xFF
    path.write_bytes(whole)
    assert loaded(tmp_path) == ({order("B")}, set(), (path.name,))


@pytest.mark.parametrize(
    "document",
    [
        {"key": "A", "revision": 1, "status": "lost", "codes": []},
        {"key": "A", "revision": 1, "status": "lost", "codes": [], "source": ""},
        {"key": "A", "revision": "1", "status": "open", "codes": [], "source": ""},
        {"key": None},
        {},
    ],
)
def test_document_of_another_form_is_damage(tmp_path: Path, document: dict[str, Any]) -> None:
    saved(tmp_path, OPERATORS)
    replace_documents(tmp_path / "orders-00.db", [document])
    assert loaded(tmp_path) == (set(), {OPERATORS}, ("orders-00.db",))


def test_folder_in_the_place_of_a_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "orders-00.db").mkdir()
    assert loaded(tmp_path) == (set(), set(), ("orders-00.db",))


def test_file_damaged_while_running_is_set_aside_and_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = saved(tmp_path, OPERATORS)
    (tmp_path / "reference.db").write_bytes(b"?")
    cache.add([BLOCKED])
    cache.save_all()
    assert [vars(record)["file"] for record in caplog.records] == ["reference.db"]
    assert (tmp_path / "reference.db.damaged").exists()
    assert loaded(tmp_path) == (set(), {BLOCKED}, ())


def test_file_of_the_first_release_is_read_and_still_written(tmp_path: Path) -> None:
    body = (
        '["documents","1",{"key":"SO/1","revision":1,"status":"withdrawn","codes":["SO/1","É"],'
        '"source":"{\\"é\\":\\"\\\\u0000\\"}"}]\n'
    ).encode()
    head = b"kiosk-cache-1 %08x %d\n" % (zlib.crc32(body), len(body))
    (tmp_path / shard_of("SO/1")).write_bytes(head + body)
    assert loaded(tmp_path) == ({order("SO/1")}, set(), ())
    saved(tmp_path / "new", order("SO/1"))
    assert (tmp_path / "new" / shard_of("SO/1")).read_bytes() == head + body, "a downgrade reads it too"

import errno
import os
import zlib
from pathlib import Path
from typing import Any

import pytest

from agent.catalogue.storage import DurableStorage, read_documents, replace_documents
from agent.errors import CacheDamaged
from agent.runtime.durable import sync_directory

DOCUMENTS: list[dict[str, Any]] = [{"key": "A", "source": 'é\n"\u2028\x1d'}, {"key": "B", "source": "", "n": [1]}]


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


def test_new_content_is_flushed_before_it_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    monkeypatch.setattr("agent.runtime.durable.os", recorder)
    replace_documents(tmp_path / "a.db", DOCUMENTS)
    sync_directory(tmp_path)
    once = list(dict.fromkeys(recorder.calls))
    assert once == [
        ("open", "a.db.tmp"),
        ("write", "a.db.tmp"),
        ("fsync", "a.db.tmp"),
        ("replace", "a.db.tmp a.db"),
        ("open", tmp_path.name),
        ("fsync", tmp_path.name),
    ]
    assert recorder.calls.count(("write", "a.db.tmp")) > 1
    assert read_documents(tmp_path / "a.db") == DOCUMENTS


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

"""Replacing files. What a power cut can leave of them is tried in tests/journal/test_crash.py."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.runtime.durable import (
    TEMPORARY,
    make_directory,
    open_file,
    read_file,
    replace_durably,
    replace_file,
    write_all,
)


@pytest.mark.parametrize("replace", [replace_file, replace_durably])
def test_the_new_content_has_the_name_and_nothing_else_is_left(tmp_path: Path, replace: object) -> None:
    assert callable(replace)
    path = tmp_path / "file"
    for content in (b"first", b"second, longer", b""):
        replace(path, content)
        assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_the_content_is_flushed_before_it_gets_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(`faults.md#power-cut`)"""
    calls = []
    for name in ("pwrite", "fsync", "replace"):
        real = getattr(os, name)

        def record(*args: object, name: str = name, real: object = real) -> object:
            assert callable(real)
            calls.append(name)
            return real(*args)

        monkeypatch.setattr(os, name, record)
    replace_durably(tmp_path / "file", b"content")
    assert calls == ["pwrite", "fsync", "replace", "fsync"]


@pytest.mark.parametrize("call", ["pwrite", "fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """(`faults.md#disk-fault`)"""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        replace_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert not list(tmp_path.glob(f"*{TEMPORARY}"))


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite

    def write_little(fd: int, data: memoryview, offset: int) -> int:
        return real(fd, data[:3], offset)

    monkeypatch.setattr(os, "pwrite", write_little)
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    write_all(fd, b"0123456789", 2)
    os.close(fd)
    assert (tmp_path / "file").read_bytes() == b"\0\0" + b"0123456789"


def test_content_can_be_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, sizes = os.pwrite, []

    def note_size(fd: int, data: memoryview, offset: int) -> int:
        sizes.append(len(data))
        return real(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", note_size)
    replace_durably(tmp_path / "file", b"0123456789", piece_bytes=4)
    assert sizes == [4, 4, 2]
    assert (tmp_path / "file").read_bytes() == b"0123456789"


# -- rights and links --------------------------------------------------------------------------------------------------


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_rights_are_the_same_whatever_the_umask(tmp_path: Path) -> None:
    """`faults.md#state-directory`"""
    folder = tmp_path / "one" / "two"
    make_directory(folder)
    replace_durably(folder / "file", b"x")
    rights = [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, folder / "file")]
    assert rights == [0o750, 0o750, 0o640]
    make_directory(folder)


def test_no_file_is_opened_through_a_link(tmp_path: Path) -> None:
    """`faults.md#state-directory`"""
    victim = tmp_path / "victim"
    victim.write_bytes(b"somebody else's")
    link = tmp_path / "file"
    link.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        read_file(link)
    with pytest.raises(OSError, match="symbolic links"):
        open_file(link, os.O_RDWR)
    (tmp_path / "file.tmp").symlink_to(victim)
    replace_file(link, b"ours")
    assert (link.is_symlink(), link.read_bytes()) == (False, b"ours")
    assert victim.read_bytes() == b"somebody else's"
    assert not (tmp_path / "file.tmp").is_symlink()


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match="symbolic link"):
        make_directory(tmp_path / "link")


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_directory(tmp_path / "file")


def test_directory_in_the_place_of_a_file_leaks_no_descriptor(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(IsADirectoryError):
            read_file(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_fifo_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert read_file(tmp_path / "fifo") == b""

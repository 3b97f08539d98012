"""A file that was deleted, replaced or moved away is noticed, by either system call."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.runtime import file_identity
from agent.runtime.file_identity import FileIdentity


@pytest.fixture(params=["statx", "stat"], autouse=True)
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "stat":
        monkeypatch.setattr(file_identity, "_prepare", file_identity._by_stat)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    file.write_text("x")
    return file


def copied_over(file: Path) -> None:
    copy = file.with_name("copy")
    shutil.copy2(file, copy)
    copy.replace(file)


def linked(file: Path) -> None:
    moved = file.rename(file.with_name("moved"))
    file.symlink_to(moved)


def folder_linked(file: Path) -> None:
    moved = file.parent.rename(file.parents[1] / "moved")
    shutil.copytree(moved, file.parent)


CHANGES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "replaced by a copy": copied_over,
    "moved, and a link in its place": linked,
    "its folder moved": lambda file: file.parent.rename(file.parents[1] / "elsewhere"),
    "its folder deleted": lambda file: shutil.rmtree(file.parent),
    "its folder replaced by a copy": folder_linked,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_is_not_in_its_place_is_noticed(file: Path, change: str) -> None:
    """`faults.md#journal-file-gone`"""
    identity = FileIdentity(file)
    assert identity.is_in_place()
    CHANGES[change](file)
    assert not identity.is_in_place()


def test_what_is_written_into_a_file_leaves_it_in_its_place(file: Path) -> None:
    identity = FileIdentity(file)
    file.write_text("more")
    assert identity.is_in_place()


def test_a_file_that_was_never_there_is_not_in_place(file: Path) -> None:
    identity = FileIdentity(file.with_name("no such file"))
    assert not identity.is_in_place()
    file.with_name("no such file").touch()
    assert not identity.is_in_place()

"""Files of an open journal that are deleted, replaced or moved, and folders that may take the journal's place."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.errors import JournalBusy, JournalDamaged, JournalFault
from agent.journal import Journal
from tests.journal.samples import SMALL, contents, document, events_in

pytestmark = pytest.mark.usefixtures("unflushed")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal"


@pytest.fixture
def journal(directory: Path) -> Iterator[Journal]:
    """A journal of several small segments, with a snapshot."""
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        for number in range(9):
            journal.commit([document(number, 150)])
        journal.checkpoint(3, b"state")
        assert journal.look_for_files() is None
        yield journal


def active(directory: Path) -> Path:
    return max(directory.glob("*.seg"))


def oldest(directory: Path) -> Path:
    return min(directory.glob("*.seg"))


def replaced(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    copy.replace(path)


def replaced_folder(directory: Path) -> None:
    directory.rename(directory.with_name("old"))
    directory.mkdir()


CHANGES: dict[str, Callable[[Path], object]] = {
    "the segment in use deleted": lambda directory: active(directory).unlink(),
    "the segment in use replaced by a copy": lambda directory: replaced(active(directory)),
    "the segment in use moved": lambda directory: active(directory).rename(directory / "moved"),
    "the folder moved": lambda directory: directory.rename(directory.with_name("moved")),
    "the folder deleted": shutil.rmtree,
    "the folder replaced by an empty one": replaced_folder,
    "the folder above moved": lambda directory: directory.parent.rename(directory.parents[1] / "moved"),
}
OTHERS: dict[str, Callable[[Path], object]] = {
    "an older segment deleted": lambda directory: oldest(directory).unlink(),
    "an older segment replaced by a copy": lambda directory: replaced(oldest(directory)),
    "the snapshot deleted": lambda directory: (directory / "snapshot").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_commit_succeeds_that_began_after_its_file_was_gone(journal: Journal, directory: Path, change: str) -> None:
    """`faults.md#journal-file-gone`"""
    CHANGES[change](directory)
    for _ in range(20):  # more than fit into the segment
        with pytest.raises(JournalFault):
            journal.commit([document(100, 150)])
    with pytest.raises(JournalFault, match="deleted or replaced"):
        journal.recover()
    assert journal.is_gone
    assert journal.last_position == 9


@pytest.mark.parametrize("change", CHANGES | OTHERS)
def test_a_file_that_is_gone_is_noticed_without_a_commit(journal: Journal, directory: Path, change: str) -> None:
    """`faults.md#journal-file-gone`"""
    (CHANGES | OTHERS)[change](directory)
    assert journal.look_for_files() is not None
    assert journal.is_gone
    with pytest.raises(JournalFault):
        journal.commit([document(100)])


def test_a_next_segment_that_is_replaced_while_it_is_written(
    journal: Journal, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = os.fdatasync

    def delete_first(fd: int) -> None:
        path = active(directory)
        if path.name != start:
            path.unlink()
        flush(fd)

    start = active(directory).name
    monkeypatch.setattr(os, "fdatasync", delete_first)
    committed = 9
    with suppress(JournalFault):
        for committed in range(9, 29):
            journal.commit([document(committed, 150)])
    assert journal.is_gone
    assert journal.last_position == committed < 28


def test_nothing_is_written_into_a_folder_in_the_journals_place(journal: Journal, directory: Path) -> None:
    """`faults.md#journal-file-gone`: neither a segment nor a snapshot nor a pruned file."""
    replaced_folder(directory)
    assert journal.look_for_files() is not None
    for write in (
        journal.prepare,
        lambda: journal.checkpoint(9, b"state"),
        lambda: journal.prune(age_s=0, keep_s=0, pinned=[]),
    ):
        with pytest.raises(JournalFault):
            write()
    assert contents(directory) == {}


def test_files_that_come_and_go_by_themselves_are_not_missed(journal: Journal) -> None:
    journal.mark(9)
    for number in range(30):
        journal.commit([document(number, 150)])
        journal.mark(journal.last_position)
        journal.checkpoint(journal.last_position, b"state")
        journal.prune(age_s=0, keep_s=0, pinned=[])
        journal.prepare()
        assert journal.look_for_files() is None


def test_a_directory_that_cannot_be_read_now_tells_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptor(_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "scandir", no_descriptor)
    assert journal.look_for_files() is None
    assert not journal.is_gone


# -- what may take its place -------------------------------------------------------------------------------------------


def reopened(journal: Journal, directory: Path) -> list[bytes]:
    with Journal.open(directory, segment_bytes=SMALL, instead_of=journal) as new:
        assert new.id == journal.id
        return [event.document for event in events_in(new)]


def test_the_folder_that_comes_back_goes_on(journal: Journal, directory: Path) -> None:
    """`faults.md#journal-file-gone`"""
    away = directory.rename(directory.with_name("away"))
    assert journal.look_for_files() is not None
    with pytest.raises(JournalFault):
        reopened(journal, directory)
    assert not directory.exists()
    away.rename(directory)
    assert len(reopened(journal, directory)) == 9


def test_a_whole_copy_goes_on_and_is_locked(journal: Journal, directory: Path) -> None:
    """`faults.md#journal-file-gone`"""
    copy = directory.with_name("copy")
    shutil.copytree(directory, copy)
    shutil.rmtree(directory)
    copy.rename(directory)
    assert journal.look_for_files() is not None
    with Journal.open(directory, segment_bytes=SMALL, instead_of=journal) as new:
        journal.close()
        with pytest.raises(JournalBusy):
            Journal.open(directory, segment_bytes=SMALL)
        new.commit([document(9)])
        assert new.last_position == 10


def test_the_lock_outlives_the_journal_that_is_gone(journal: Journal, directory: Path) -> None:
    replaced(active(directory))
    assert journal.look_for_files() is not None
    with Journal.open(directory, segment_bytes=SMALL, instead_of=journal):
        journal.close()
        with pytest.raises(JournalBusy):
            Journal.open(directory, segment_bytes=SMALL)


def test_folders_that_are_not_this_journal_stay_a_fault_and_as_they_are(journal: Journal, directory: Path) -> None:
    """`faults.md#journal-file-gone`"""
    old = directory.with_name("old copy")
    shutil.copytree(directory, old)
    journal.commit([document(9, 150)])
    directory.rename(directory.with_name("away"))
    assert journal.look_for_files() is not None

    def refused(error: type[Exception] = JournalFault, *, match: str) -> None:
        before = contents(directory)
        with pytest.raises(error, match=match):
            reopened(journal, directory)
        assert contents(directory) == before
        shutil.rmtree(directory)

    directory.mkdir()
    refused(match="holds no journal")
    Journal.open(directory, segment_bytes=SMALL).close()
    refused(match="holds journal .*, not")
    shutil.copytree(old, directory)
    refused(match="ends with event 9, but event 10 was signalled")
    shutil.copytree(old, directory)
    with Journal.open(directory, segment_bytes=SMALL) as other:
        other.commit([document(77, 150)])
    refused(match="has another event 10")
    shutil.copytree(directory.with_name("away"), directory)
    (directory / "snapshot").write_bytes(b"damaged")
    refused(JournalDamaged, match="snapshot")

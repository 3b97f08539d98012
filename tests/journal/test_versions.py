"""A journal of another version is refused before anything else of it is judged, and nothing of it is changed."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import JournalDamaged, JournalOfAnotherVersion
from agent.journal import Journal
from agent.journal.external_reader import Damage, read_all
from agent.journal.records import SEGMENT_HEADER_BYTES
from tests.journal.samples import SMALL, contents, document

pytestmark = pytest.mark.usefixtures("unflushed")

RECORD = b"\xf5KJ1"
NEWER = b"\xf5KJ2"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A journal of several small segments, with a snapshot in the middle, an unfinished tail and a standby segment."""
    directory = tmp_path / "journal"
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        for number in range(12):
            journal.commit([document(number, 150)])
            if number == 6:
                journal.checkpoint(journal.last_position, b"state")
        journal.prepare()
        last = journal.table.segments[-1]
    with (directory / f"{last.index:010d}.seg").open("r+b") as file:
        file.seek(last.end)
        file.write(b"half a rec")
    (directory / "snapshot.tmp").write_bytes(b"half a snapshot")
    return directory


def segments(directory: Path) -> list[Path]:
    """The segments that hold records after the snapshot."""
    return [path for path in sorted(directory.glob("*.seg")) if path.read_bytes().count(RECORD)][-2:]


def newer_header(path: Path, *, is_sound: bool = True) -> None:
    """Give a segment the next format version, with a checksum for it or without."""
    data = bytearray(path.read_bytes())
    data[8] += 1
    if is_sound:
        body = bytes(data[: SEGMENT_HEADER_BYTES - 4])
        data[SEGMENT_HEADER_BYTES - 4 : SEGMENT_HEADER_BYTES] = zlib.crc32(body).to_bytes(4, "little")
    path.write_bytes(data)


def newer_records(path: Path, count: int) -> None:
    """Give the last `count` records of a segment the next format version."""
    before, *records = path.read_bytes().rsplit(RECORD, count)
    path.write_bytes(NEWER.join((before, *records)))


def newer_snapshot(directory: Path) -> None:
    path = directory / "snapshot"
    data = bytearray(path.read_bytes())
    data[8] += 1
    path.write_bytes(data)


def newer_everywhere(directory: Path) -> None:
    for path in directory.glob("*.seg"):
        if any(path.read_bytes()):
            newer_header(path)


def newer_records_everywhere(directory: Path) -> None:
    for path in segments(directory):
        newer_records(path, 99)


def newer_and_longer_snapshot(directory: Path) -> None:
    newer_snapshot(directory)
    with (directory / "snapshot").open("ab") as file:
        file.write(b"more")


def newer_and_shorter_snapshot(directory: Path) -> None:
    newer_snapshot(directory)
    (directory / "snapshot").write_bytes((directory / "snapshot").read_bytes()[:12])


CASES: dict[str, Callable[[Path], None]] = {
    "every segment": newer_everywhere,
    "the newest segment": lambda directory: newer_header(segments(directory)[-1]),
    "the newest segment, its checksum elsewhere": lambda d: newer_header(segments(d)[-1], is_sound=False),
    "every record": newer_records_everywhere,
    "the newest record": lambda directory: newer_records(segments(directory)[-1], 1),
    "the snapshot": newer_snapshot,
    "the snapshot, longer": newer_and_longer_snapshot,
    "the snapshot, shorter": newer_and_shorter_snapshot,
}


@pytest.mark.parametrize("case", CASES)
def test_another_version_is_refused_and_not_a_byte_changed(directory: Path, case: str) -> None:
    """`faults.md#another-version`"""
    CASES[case](directory)
    before = contents(directory)
    with pytest.raises(JournalOfAnotherVersion, match=r"has format 2; this program understands format 1"):
        Journal.open(directory, segment_bytes=SMALL)
    assert contents(directory) == before


@pytest.mark.parametrize("case", CASES)
def test_the_reader_from_outside_names_another_version(directory: Path, case: str) -> None:
    """`faults.md#another-version`"""
    CASES[case](directory)
    assert any("format 2" in str(found) for found in read_all(directory) if isinstance(found, Damage))


def test_a_version_that_no_program_will_reach_is_damage(directory: Path) -> None:
    path = segments(directory)[-1]
    data = bytearray(path.read_bytes())
    data[11] = 0x80
    path.write_bytes(data)
    with pytest.raises(JournalDamaged) as caught:
        Journal.open(directory, segment_bytes=SMALL)
    assert not isinstance(caught.value, JournalOfAnotherVersion)


def test_what_is_not_understood_is_found_before_anything_is_written(directory: Path) -> None:
    """`faults.md#another-version`: the unfinished tail is still there."""
    before = contents(directory)

    def refuse(state: bytes | None, commits: object) -> None:
        assert state == b"state"
        raise JournalOfAnotherVersion(str(directory), 0, "an event type is unknown")

    with pytest.raises(JournalOfAnotherVersion):
        Journal.open(directory, before_writing=refuse, segment_bytes=SMALL)
    assert contents(directory) == before
    Journal.open(directory, segment_bytes=SMALL).close()
    assert contents(directory) != before

"""Encode and decode records and segment headers."""

from hypothesis import given
from hypothesis import strategies as st

from agent.journal.records import (
    SEGMENT_HEADER_BYTES,
    SegmentHeader,
    crc_seed,
    decode_commit,
    decode_events,
    decode_segment_header,
    encode_record,
    encode_segment_header,
    find_record,
    is_blank,
    next_record,
    record_at,
)

LINES = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), min_size=2, max_size=5)


def record(*lines: str, seed: int = 5, position: int = 7, sequence: int = 3) -> bytes:
    return encode_record(
        seed,
        journal=b"3F0C9A1B",
        position=position,
        sequence=sequence,
        count=len(lines) - 1,
        mark=2,
        age_s=99,
        payload="\n".join(lines).encode(),
    )


@given(lines=LINES, before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_record_round_trip_at_any_offset(lines: list[str], before: bytes, after: bytes) -> None:
    data = before + record(*lines) + after
    head = record_at(data, len(before), 5)
    assert head is not None
    assert (head.start, head.end) == (len(before), len(data) - len(after))
    assert (head.journal, head.position, head.sequence, head.mark, head.age_s) == ("3F0C9A1B", 7, 3, 2, 99)
    assert next_record(data, len(before)) == (head.end, head.events)
    commit = decode_commit(data, head)
    assert (*commit.documents, commit.private) == tuple(line.encode() for line in lines)
    events = decode_events(data, head)
    assert [(event.position, event.sequence, event.document) for event in events] == [
        (7 + i, 3 + i, line.encode()) for i, line in enumerate(lines[:-1])
    ]


@given(lines=LINES, data=st.data())
def test_record_with_any_byte_changed_is_none(lines: list[str], data: st.DataObject) -> None:
    whole = record(*lines)
    at = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != whole[at]))
    assert record_at(whole[:at] + bytes((value,)) + whole[at + 1 :], 0, 5) is None


def test_record_cut_at_any_length_is_none() -> None:
    whole = record("one", "two", "private")
    assert all(record_at(whole[:length], 0, 5) is None for length in range(len(whole)))


def test_record_of_another_segment_is_none() -> None:
    assert record_at(record("one", "", seed=crc_seed(1)), 0, crc_seed(2)) is None


def test_record_with_a_wrong_line_count_is_none() -> None:
    data = encode_record(5, journal=b"0" * 8, position=1, sequence=1, count=2, mark=0, age_s=0, payload=b"one\n")
    assert record_at(data, 0, 5) is None


def test_find_record_skips_broken_ones() -> None:
    broken = bytearray(record("one", ""))
    broken[-1] ^= 1
    data = bytes(broken) + b"\xf5KJ1" + record("two", "")
    found = find_record(data, 0, 5)
    assert found is not None
    assert found.start == len(broken) + 4
    assert find_record(data, found.start + 1, 5) is None


def test_next_record_where_none_begins() -> None:
    assert next_record(bytes(100), 0) is None
    assert next_record(record("one", "")[:30], 0) is None


def test_segment_header_round_trip() -> None:
    header = SegmentHeader(index=9, journal="3F0C9A1B", position=1 << 40, sequence=12, capacity=1 << 20)
    data = encode_segment_header(header)
    assert len(data) == SEGMENT_HEADER_BYTES
    assert decode_segment_header(data + b"more") == header
    assert decode_segment_header(data[:-1]) is None
    for at in range(SEGMENT_HEADER_BYTES):
        assert decode_segment_header(data[:at] + bytes((data[at] ^ 0x40,)) + data[at + 1 :]) is None


def test_is_blank_looks_from_the_offset_on() -> None:
    assert is_blank(b"a\0\0", 1)
    assert is_blank(b"a", 1)
    assert not is_blank(b"\0\0a", 1)

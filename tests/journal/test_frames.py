"""The frame codec."""

from hypothesis import given
from hypothesis import strategies as st

from agent.journal.frames import (
    HEADER_BYTES,
    SegmentHeader,
    commit_of,
    decode_header,
    encode_frame,
    encode_header,
    events_of,
    find_frame,
    frame_at,
    is_blank,
    next_frame,
    seed_of,
)

LINES = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), min_size=2, max_size=5)


def frame(*lines: str, seed: int = 5, position: int = 7, sequence: int = 3) -> bytes:
    return encode_frame(
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
def test_frame_round_trip_at_any_offset(lines: list[str], before: bytes, after: bytes) -> None:
    data = before + frame(*lines) + after
    head = frame_at(data, len(before), 5)
    assert head is not None
    assert (head.start, head.end) == (len(before), len(data) - len(after))
    assert (head.journal, head.position, head.sequence, head.mark, head.age_s) == ("3F0C9A1B", 7, 3, 2, 99)
    assert next_frame(data, len(before)) == (head.end, head.events)
    commit = commit_of(data, head)
    assert (*commit.documents, commit.private) == tuple(line.encode() for line in lines)
    events = events_of(data, head)
    assert [(event.position, event.sequence, event.document) for event in events] == [
        (7 + i, 3 + i, line.encode()) for i, line in enumerate(lines[:-1])
    ]


@given(lines=LINES, data=st.data())
def test_frame_with_any_byte_changed_is_none(lines: list[str], data: st.DataObject) -> None:
    whole = frame(*lines)
    at = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != whole[at]))
    assert frame_at(whole[:at] + bytes((value,)) + whole[at + 1 :], 0, 5) is None


def test_frame_cut_at_any_length_is_none() -> None:
    whole = frame("one", "two", "private")
    assert all(frame_at(whole[:length], 0, 5) is None for length in range(len(whole)))


def test_frame_of_another_segment_is_none() -> None:
    assert frame_at(frame("one", "", seed=seed_of(1)), 0, seed_of(2)) is None


def test_frame_whose_lines_are_not_as_many_as_it_tells_is_none() -> None:
    data = encode_frame(5, journal=b"0" * 8, position=1, sequence=1, count=2, mark=0, age_s=0, payload=b"one\n")
    assert frame_at(data, 0, 5) is None


def test_find_frame_passes_over_broken_ones() -> None:
    broken = bytearray(frame("one", ""))
    broken[-1] ^= 1
    data = bytes(broken) + b"\xf5KJ1" + frame("two", "")
    found = find_frame(data, 0, 5)
    assert found is not None
    assert found.start == len(broken) + 4
    assert find_frame(data, found.start + 1, 5) is None


def test_next_frame_where_none_begins() -> None:
    assert next_frame(bytes(100), 0) is None
    assert next_frame(frame("one", "")[:30], 0) is None


def test_segment_header_round_trip() -> None:
    header = SegmentHeader(index=9, journal="3F0C9A1B", position=1 << 40, sequence=12, capacity=1 << 20)
    data = encode_header(header)
    assert len(data) == HEADER_BYTES
    assert decode_header(data + b"more") == header
    assert decode_header(data[:-1]) is None
    for at in range(HEADER_BYTES):
        assert decode_header(data[:at] + bytes((data[at] ^ 0x40,)) + data[at + 1 :]) is None


def test_is_blank_looks_from_the_offset_on() -> None:
    assert is_blank(b"a\0\0", 1)
    assert is_blank(b"a", 1)
    assert not is_blank(b"\0\0a", 1)

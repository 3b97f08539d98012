"""Cutting bytes into scans."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.scanners.framing import TERMINATORS, Framer, TextSettings
from agent.scan import MAX_SCAN_BYTES, Frame

terminators = st.sampled_from(TERMINATORS)
noise = st.lists(
    st.one_of(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\t", b"\x1d", b"4901", b"ZKSAVE"]),
        st.integers(min_value=505, max_value=520).map(lambda n: b"x" * n),
        st.binary(max_size=8),
    ),
    max_size=20,
).map(b"".join)


def fed(framer: Framer, *chunks: bytes) -> list[Frame]:
    return [frame for chunk in chunks for frame in framer.feed(chunk, 1.0)]


def scans(framer: Framer, *chunks: bytes) -> list[bytes]:
    """Return the data of the frames, which must all be intact."""
    frames = fed(framer, *chunks)
    assert all(frame.intact for frame in frames)
    return [frame.data for frame in frames]


@pytest.mark.parametrize("terminator", TERMINATORS)
def test_frame_ends_at_the_terminator(terminator: bytes) -> None:
    """(`scanning.md#framing`)"""
    framer = Framer(terminator)
    assert framer.feed(b"490154203237518" + terminator, 7.5) == [Frame(data=b"490154203237518", intact=True, at=7.5)]


@pytest.mark.parametrize("terminator", TERMINATORS)
def test_lone_terminators_are_ignored(terminator: bytes) -> None:
    """(`scanning.md#framing`)"""
    framer = Framer(terminator)
    assert fed(framer, terminator * 3) == []
    assert framer.idle(1.2) == []
    assert framer.deadline is None


@pytest.mark.parametrize("terminator", [b"\r", b"\n", b"\r\n"])
def test_a_device_that_sends_cr_lf_is_read_with_any_line_end(terminator: bytes) -> None:
    assert scans(Framer(terminator), b"ONE\r\nTWO\r", b"\nTHREE\r\n") == [b"ONE", b"TWO", b"THREE"]


def test_cr_within_a_scan_ended_by_lf_is_kept() -> None:
    assert scans(Framer(b"\n"), b"A\rB\r\n") == [b"A\rB"]


def test_line_ends_within_a_scan_are_kept() -> None:
    assert scans(Framer(b"\r"), b"A\r", b"C\nD\r", b"E\t\0F\r") == [b"A", b"C\nD", b"E\t\0F"]


TRAILERS = [b"\r", b"\n", b"\t", b"\0", b"\r\n", b"\n\r", b"\n\n", b"\t\r\n", b"\0\0\0", b"\r\r\0\n\t"]


@pytest.mark.parametrize("terminator", TERMINATORS)
@pytest.mark.parametrize("trailer", TRAILERS)
def test_line_ends_after_a_terminator_belong_to_it(terminator: bytes, trailer: bytes) -> None:
    """(`scanning.md#one-end-a-scan`)"""
    end = terminator + trailer
    assert scans(Framer(terminator), b"A" + end + b"B" + end) == [b"A", b"B"]
    # A byte a read, and the next scan directly behind.
    assert scans(Framer(terminator), *(bytes([one]) for one in b"A" + end + b"B" + end + b"C" + end)) == [
        b"A",
        b"B",
        b"C",
    ]
    # The trailer comes with the next scan, or by itself and within the gap.
    assert scans(Framer(terminator), b"A" + terminator, trailer + b"B" + terminator) == [b"A", b"B"]
    framer = Framer(terminator, 0.2)
    framer.feed(b"A" + terminator, 1.0)
    assert framer.feed(trailer, 1.15) == []
    assert framer.idle(1.2) == framer.idle(9.0) == []
    assert framer.deadline is None


@pytest.mark.parametrize("terminator", TERMINATORS)
def test_a_scan_within_the_gap_keeps_its_first_byte(terminator: bytes) -> None:
    """(`scanning.md#one-end-a-scan`)"""
    framer = Framer(terminator, 0.2)
    framer.feed(b"A" + terminator, 1.0)
    assert framer.feed(b"B", 1.01) == []
    assert framer.feed(terminator, 1.02) == [Frame(data=b"B", intact=True, at=1.02)]


def test_line_ends_read_late_belong_to_the_terminator() -> None:
    """Only `idle` detects a gap: what waits in the kernel was not sent late. (`scanning.md#one-end-a-scan`)"""
    framer = Framer(b"\t", 0.2)
    framer.feed(b"A\t", 1.0)
    assert framer.feed(b"\r\nB\t", 5.0) == [Frame(data=b"B", intact=True, at=5.0)]


@pytest.mark.parametrize("late", [b"\n", b"\t", b"\0", b"\r\n"])
def test_line_ends_after_the_gap_are_a_scan(late: bytes) -> None:
    """(`scanning.md#one-end-a-scan`)"""
    terminator = b"\t" if b"\n" in late else b"\n"
    framer = Framer(terminator, 0.2)
    framer.feed(b"A" + terminator, 1.0)
    framer.idle(1.2)
    framer.feed(late, 1.3)
    assert framer.idle(1.5) == [Frame(data=late, intact=False, at=1.5)]


def test_lf_directly_after_cr_belongs_to_it_at_any_time() -> None:
    """(`scanning.md#one-end-a-scan`)"""
    framer = Framer(b"\r", 0.2)
    framer.feed(b"A\r", 1.0)
    framer.idle(1.2)
    assert framer.feed(b"\nB\r", 9.0) == [Frame(data=b"B", intact=True, at=9.0)]
    framer.idle(9.2)
    assert framer.feed(b"\n", 9.5) == framer.idle(10.0) == []
    assert framer.feed(b"\n\r", 11.0) == [Frame(data=b"\n", intact=True, at=11.0)]


def test_a_flood_of_line_ends_is_not_one_terminator() -> None:
    """(`faults.md#garbage-and-floods`)"""
    framer = Framer(b"\r", 0.2)
    framer.feed(b"A\r", 1.0)
    for tenth in range(11, 15):
        framer.feed(b"\0" * 100, tenth / 10)
        framer.idle(tenth / 10)
    assert [frame.intact for frame in framer.idle(2.0)] == [False]


def test_half_a_cr_lf_is_not_a_terminator() -> None:
    framer = Framer(b"\r\n")
    assert fed(framer, b"A\rB\nC\r") == []
    assert scans(framer, b"\n") == [b"A\rB\nC"]


def test_gs_and_other_control_characters_are_data() -> None:
    assert scans(Framer(b"\r"), b"]C10109\x1d8002\x00\r") == [b"]C10109\x1d8002\x00"]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_longest_scan_is_intact(line_end: bytes) -> None:
    assert scans(Framer(b"\n"), b"x" * MAX_SCAN_BYTES, line_end) == [b"x" * MAX_SCAN_BYTES]


@pytest.mark.parametrize("terminator", TERMINATORS)
def test_longer_scan_is_one_frame_at_its_terminator(terminator: bytes) -> None:
    """(`scanning.md#unreadable-scans`)"""
    framer = Framer(terminator)
    assert fed(framer, *[b"y" * 100] * 1000) == []
    assert fed(framer, terminator + b"NEXT" + terminator) == [
        Frame(data=b"y" * MAX_SCAN_BYTES, intact=False, at=1.0),
        Frame(data=b"NEXT", intact=True, at=1.0),
    ]


def test_flood_that_stops_is_one_frame_and_its_late_terminator_is_ignored() -> None:
    framer = Framer(b"\r", 0.2)
    framer.feed(b"z" * 100_000, 1.0)
    assert [(frame.intact, frame.at) for frame in framer.idle(1.2)] == [(False, 1.2)]
    assert framer.idle(9.0) == []
    assert framer.feed(b"\r", 9.0) == []


def test_gap_is_counted_from_the_last_byte() -> None:
    """(`scanning.md#unreadable-scans`)"""
    framer = Framer(b"\r", 0.2)
    framer.feed(b"490", 1.0)
    framer.feed(b"154", 1.5)
    assert framer.deadline == pytest.approx(1.7)
    assert framer.idle(1.6) == []
    assert framer.idle(1.7) == [Frame(data=b"490154", intact=False, at=1.7)]
    assert framer.deadline is None


def test_sign_of_life_delays_the_gap_but_begins_no_scan() -> None:
    framer = Framer(b"\r", 0.2)
    assert framer.feed(b"", 1.0) == []
    assert framer.deadline is None
    framer.feed(b"490", 1.0)
    framer.feed(b"", 2.0)
    assert framer.deadline == pytest.approx(2.2)


def test_without_an_idle_gap_a_pause_cuts_nothing() -> None:
    framer = Framer(b"\n", None)
    framer.feed(b"490", 1.0)
    assert framer.deadline is None
    assert framer.idle(1e9) == []
    assert scans(framer, b"154\n") == [b"490154"]


def test_bytes_read_late_are_not_cut() -> None:
    framer = Framer(b"\r", 0.2)
    framer.feed(b"490", 1.0)
    assert framer.feed(b"154\r", 5.0) == [Frame(data=b"490154", intact=True, at=5.0)]


def test_lost_input_ends_a_half_read_scan() -> None:
    """(`scanning.md#unreadable-scans`)"""
    framer = Framer(b"\r")
    framer.feed(b"4901", 1.0)
    assert framer.lost(1.1) == [Frame(data=b"4901", intact=False, at=1.1)]
    assert framer.lost(1.2) == []
    assert scans(framer, b"NEXT\r") == [b"NEXT"]


def test_lost_input_between_scans_is_ignored() -> None:
    framer = Framer(b"\r")
    framer.feed(b"A\r", 1.0)
    assert framer.lost(1.1) == []


def test_spoilt_scan_is_one_frame_at_its_terminator() -> None:
    framer = Framer(b"\r")
    framer.feed(b"4901", 1.0)
    framer.spoil(1.1)
    assert framer.feed(b"518\rNEXT\r", 1.2) == [
        Frame(data=b"4901", intact=False, at=1.2),
        Frame(data=b"NEXT", intact=True, at=1.2),
    ]


def test_scan_lost_as_a_whole_is_one_frame_after_the_idle_gap() -> None:
    framer = Framer(b"\r", 0.2)
    framer.spoil(1.0)
    assert framer.idle(1.2) == [Frame(data=b"", intact=False, at=1.2)]


def test_spoilt_scan_ended_by_a_lone_terminator_is_one_frame() -> None:
    framer = Framer(b"\r")
    framer.spoil(1.0)
    assert framer.feed(b"\r", 1.1) == [Frame(data=b"", intact=False, at=1.1)]
    assert framer.idle(1.3) == []
    assert framer.deadline is None


@pytest.mark.parametrize("terminator", TERMINATORS)
@pytest.mark.parametrize(("gs", "sent"), [("|", b"21A|10B"), ("^]", b"21A^]10B"), ("è", "21Aè10B".encode())])
def test_what_stands_for_gs_becomes_gs(terminator: bytes, gs: str, sent: bytes) -> None:
    """(`scanning.md#what-stands-for-gs`)"""
    framer = Framer(terminator, text=TextSettings(gs=gs.encode()))
    assert scans(framer, sent + terminator, b"21A\x1d10B" + terminator) == [b"21A\x1d10B"] * 2


def test_latin_1_becomes_utf_8() -> None:
    """(`settings.md#encoding-gs-and-no-read-texts`)"""
    framer = Framer(b"\r", text=TextSettings(encoding="latin-1", gs="è".encode()))
    assert scans(framer, b"Gr\xf6\xdfe\xe8L\r") == ["Größe\x1dL".encode()]
    framer.feed(b"Gr\xf6", 1.0)
    assert [(frame.data, frame.intact) for frame in framer.lost(1.1)] == [("Grö".encode(), False)]


def test_a_frame_has_the_no_read_texts_of_its_scanner() -> None:
    """(`scanning.md#no-read-texts`)"""
    assert [frame.no_read for frame in fed(Framer(), b"A\r")] == [{"NOREAD", "NO READ", "ERROR", "NR"}]
    own = TextSettings(no_read=frozenset({"??"}))
    assert [frame.no_read for frame in fed(Framer(text=own), b"A\r")] == [{"??"}]


def test_unknown_terminator_is_refused() -> None:
    with pytest.raises(ValueError, match="not a terminator"):
        Framer(b";")


@given(terminator=terminators, stream=noise, cuts=st.lists(st.integers(min_value=0, max_value=3000), max_size=12))
def test_any_split_of_the_same_bytes_gives_the_same_frames(terminator: bytes, stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges)]
    whole, split = Framer(terminator), Framer(terminator)
    assert fed(split, *pieces) == fed(whole, stream)
    assert split.lost(2.0) == whole.lost(2.0)


@given(terminator=terminators, stream=noise)
def test_frames_are_limited_and_never_empty_or_with_a_terminator(terminator: bytes, stream: bytes) -> None:
    for frame in fed(Framer(terminator), stream):
        assert 0 < len(frame.data) <= MAX_SCAN_BYTES
        assert terminator not in frame.data


@given(terminator=terminators, chunks=st.lists(noise, max_size=10))
def test_memory_is_limited(terminator: bytes, chunks: list[bytes]) -> None:
    """(`faults.md#garbage-and-floods`)"""
    framer = Framer(terminator)
    for chunk in chunks:
        framer.feed(chunk, 1.0)
        held = sum(len(value) for name in Framer.__slots__ if isinstance(value := getattr(framer, name), bytes))
        assert held <= 2 * MAX_SCAN_BYTES + 4


@given(
    terminator=terminators,
    codes=st.lists(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60)),
)
def test_codes_come_back_as_they_were_sent(terminator: bytes, codes: list[str]) -> None:
    raw = [code.encode() for code in codes]
    assert scans(Framer(terminator), b"".join(code + terminator for code in raw)) == raw

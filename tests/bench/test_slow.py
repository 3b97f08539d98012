"""The flushes that are subtracted from the times of a slow kiosk."""

import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bench.slow import Flush, flushed_ns, flushes_of

FLUSHES = [Flush(7, 100, 200), Flush(7, 300, 350)]


def test_only_the_part_of_a_flush_within_the_span_counts() -> None:
    assert flushed_ns(FLUSHES, 0, 1000) == 150
    assert flushed_ns(FLUSHES, 150, 320) == 70
    assert flushed_ns(FLUSHES, 200, 300) == 0


@given(began=st.integers(0, 500), length=st.integers(0, 500))
def test_no_more_than_the_span_is_taken_off(began: int, length: int) -> None:
    assert 0 <= flushed_ns(FLUSHES, began, began + length) <= length


def test_flushes_are_read_as_the_shim_writes_them(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(struct.pack("=qqqqqq", 7, 100, 200, 7, 300, 350))
    assert flushes_of(log) == FLUSHES


def test_a_disk_that_was_never_flushed_has_no_log(tmp_path: Path) -> None:
    assert flushes_of(tmp_path / "none") == []

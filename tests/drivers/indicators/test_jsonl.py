"""The indicator for machines."""

import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.drivers.indicators.jsonl import JsonlIndicator
from agent.errors import DeviceError


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Limit the size of this process's files for a moment: a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_each_signal_is_a_line_on_disk_when_show_returns(tmp_path: Path) -> None:
    """Rule: settings.md#indicator."""
    path = tmp_path / "signals.jsonl"
    with JsonlIndicator(station="1", path=str(path)) as indicator:
        indicator.show(Signal.OK, None, monotonic_ns=812_345_000_001)
        assert json.loads(path.read_text()) == {
            "station": "1",
            "signal": "ok",
            "reason": None,
            "monotonic_ns": 812_345_000_001,
        }
        indicator.show(Signal.WHERE, None, pending=3, monotonic_ns=2)
        assert path.read_bytes().count(b"\n") == 2


def test_every_signal_and_reason_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "signals.jsonl"
    pairs = [(signal, reason) for signal in Signal for reason in (None, *Reason)]
    with JsonlIndicator(station="1", path=str(path)) as indicator:
        for number, (signal_shown, reason) in enumerate(pairs):
            indicator.show(signal_shown, reason, monotonic_ns=number)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["signal"], line["reason"], line["monotonic_ns"]) for line in lines] == [
        (signal_shown.value, reason.value if reason else None, number)
        for number, (signal_shown, reason) in enumerate(pairs)
    ]


def test_existing_file_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "signals.jsonl"
    path.write_text("before\n")
    with JsonlIndicator(station="1", path=str(path)) as indicator:
        indicator.show(Signal.OK, None, monotonic_ns=1)
    assert path.read_text().startswith("before\n{")


def test_fifo_without_a_reader_keeps_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with JsonlIndicator(station="1", path=str(path)) as indicator:
        indicator.show(Signal.REJECT, Reason.UNREADABLE, monotonic_ns=5)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        assert json.loads(os.read(reader, 4096))["reason"] == "unreadable"
        os.close(reader)
        assert indicator.fault is None


def test_full_fifo_drops_lines_and_reports_a_fault_until_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with JsonlIndicator(station="1", path=str(path)) as indicator:
        for number in range(2000):
            indicator.show(Signal.OK, None, monotonic_ns=number)
        assert indicator.fault is not None
        assert "no program reads it" in indicator.fault
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        kept = os.read(reader, 1 << 20).splitlines()
        indicator.show(Signal.OK, None, monotonic_ns=9999)
        assert indicator.fault is None
        assert json.loads(os.read(reader, 4096))["monotonic_ns"] == 9999
        os.close(reader)
    assert [json.loads(line)["monotonic_ns"] for line in kept] == list(range(len(kept)))


def test_line_cut_by_a_full_disk_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "signals.jsonl"
    with JsonlIndicator(station="1", path=str(path)) as indicator:
        indicator.show(Signal.OK, None, monotonic_ns=1)
        with file_size_limit(path.stat().st_size + 10):
            indicator.show(Signal.OK, None, monotonic_ns=2)
            assert indicator.fault is not None
            assert "cut short" in indicator.fault
            indicator.show(Signal.OK, None, monotonic_ns=3)
            assert indicator.fault == f"{path}: File too large"
        indicator.show(Signal.OK, None, monotonic_ns=4)
        assert indicator.fault is None
    first, torn, last = path.read_text().splitlines()
    assert json.loads(first)["monotonic_ns"] == 1
    assert len(torn) == 10
    assert json.loads(last)["monotonic_ns"] == 4


def test_path_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be opened: Is a directory"):
        JsonlIndicator(station="1", path=str(tmp_path))
    with pytest.raises(DeviceError, match="cannot be opened: No such file"):
        JsonlIndicator(station="1", path=str(tmp_path / "none" / "signals.jsonl"))

"""The number of the connection: kept on disk, higher with every connect."""

import time
from pathlib import Path

import pytest

from agent.daemon.connection_number import ConnectionNumber


def test_it_rises_and_is_kept(tmp_path: Path) -> None:
    """Rule: mqtt.md#connection-number."""
    path = tmp_path / "connection"
    began = int(time.time())
    one = ConnectionNumber(path)
    first = one.next()
    assert first >= began
    assert one.next() == first + 1
    assert ConnectionNumber(path).next() == first + 2


@pytest.mark.parametrize("content", [b"", b"-3", b"seven", b"\xff", b"9" * 100])
def test_a_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "connection"
    path.write_bytes(content)
    number = ConnectionNumber(path).next()
    assert int(time.time()) - 5 <= number <= int(time.time())
    assert ConnectionNumber(path).next() == number + 1


def test_it_rises_in_memory_while_the_disk_cannot_be_written(tmp_path: Path) -> None:
    """Rule: mqtt.md#connection-number."""
    path = tmp_path / "file" / "connection"
    (tmp_path / "file").write_text("no folder")
    one = ConnectionNumber(path)
    assert one.next() < one.next() < one.next()


@pytest.mark.parametrize("now", [-86_400.5, -0.5, 0.0, 0.9])
def test_a_clock_at_or_before_1970_gives_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    """Rule: mqtt.md#connection-number."""
    monkeypatch.setattr("agent.daemon.connection_number.time.time", lambda: now)
    one = ConnectionNumber(tmp_path / "connection")
    assert [one.next(), one.next()] == [1, 2]
    assert ConnectionNumber(tmp_path / "connection").next() == 3

"""Fixtures of the journal's tests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journal.failing_storage import Storage


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal"


@pytest.fixture
def unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make flushes no-ops, for tests that are about what is read back and not about flushing."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr(os, "fdatasync", lambda _fd: None)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    state = Storage()

    def fails(name: str) -> bool:
        state.failing[name] = state.failing.get(name, 0) - 1
        return state.failing[name] >= 0

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        state.rewritten.append((offset, offset + len(data)))
        if not fails("pwrite"):
            return real_pwrite(fd, data, offset)
        if state.written:
            return real_pwrite(fd, bytes(data)[: state.written], offset)
        raise OSError(28, "No space left on device")

    def flush(real: Callable[[int], None], name: str) -> Callable[[int], None]:
        def call(fd: int) -> None:
            if fails(name):
                raise OSError(5, "Input/output error")
            real(fd)

        return call

    real_pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(os, "fdatasync", flush(os.fdatasync, "fdatasync"))
    monkeypatch.setattr(os, "fsync", flush(os.fsync, "fsync"))
    yield state
    state.failing.clear()

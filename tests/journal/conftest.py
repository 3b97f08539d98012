"""What the journal's tests share: flushes that cost nothing, where a test is not about flushing."""

import os

import pytest


@pytest.fixture
def unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make flushing free: what a process reads back does not depend on it."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr(os, "fdatasync", lambda _fd: None)

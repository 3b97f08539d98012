"""The file of the key for refused badges (`scanning.md#a-badge-never-leaves-the-kiosk`)."""

import os
from pathlib import Path

import pytest

from agent.daemon.badge_secret import badge_secret


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_key_is_made_once_for_its_owner(tmp_path: Path, umask: int) -> None:
    """`scanning.md#a-badge-never-leaves-the-kiosk`"""
    path = tmp_path / "badge.key"
    before = os.umask(umask)
    try:
        secret = badge_secret(path)
    finally:
        os.umask(before)
    assert len(secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert badge_secret(path) == secret
    assert [one.name for one in tmp_path.iterdir()] == ["badge.key"]


def test_unfinished_key_is_made_anew(tmp_path: Path) -> None:
    """`scanning.md#a-badge-never-leaves-the-kiosk`, `faults.md#power-cut`"""
    path = tmp_path / "badge.key"
    path.write_bytes(b"short")
    (tmp_path / "badge.key.tmp").write_bytes(b"left over")
    secret = badge_secret(path)
    assert path.read_bytes() == secret
    assert len(secret) == 32


def test_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "badge.key"
    secret = badge_secret(path)
    path.chmod(0o644)
    assert badge_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600


def test_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"x" * 32)
    path = tmp_path / "badge.key"
    path.symlink_to(other)
    assert badge_secret(path) != b"x" * 32
    assert not path.is_symlink()
    assert other.read_bytes() == b"x" * 32


def test_disk_that_keeps_nothing_gives_a_key_for_this_run(tmp_path: Path) -> None:
    assert len(badge_secret(tmp_path / "missing" / "badge.key")) == 32

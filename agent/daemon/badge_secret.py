"""The random key with which a kiosk hides the text of refused badges (`scanning.md#a-badge-never-leaves-the-kiosk`)."""

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from agent.runtime.durable import TEMPORARY, sync_directory, write_all

__all__ = ["badge_secret"]

_log = logging.getLogger(__name__)

_BYTES = 32


def badge_secret(path: Path) -> bytes:
    """Return the key in the file at `path`. Make it, for its owner alone, if there is none of the right size.

    If the disk does not allow that, the key lasts until the daemon ends: the same badge then looks like another one.
    """
    try:
        found = _read(path)
        if len(found) == _BYTES:
            return found
    except FileNotFoundError:
        pass
    except OSError as exc:
        _log.warning("cannot read the key for refused badges; a new one is made", extra={"why": exc})
    secret = secrets.token_bytes(_BYTES)
    try:
        _write(path, secret)
    except OSError as exc:
        _log.warning("cannot keep the key for refused badges; the next start makes another one", extra={"why": exc})
    return secret


def _read(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # Other users must not read it, whoever copied the directory.
        os.fchmod(fd, 0o600)
        return os.read(fd, _BYTES + 1)
    finally:
        os.close(fd)


def _write(path: Path, secret: bytes) -> None:
    temporary = path.with_name(path.name + TEMPORARY)
    with suppress(FileNotFoundError):
        temporary.unlink()
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        write_all(fd, secret, 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(temporary, path)
    sync_directory(path.parent)

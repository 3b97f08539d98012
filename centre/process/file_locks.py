"""Files that one centre at a time may work with: its data folder, and an SQLite database."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from centre.centre_errors import CentreBusy, Refused

__all__ = ["lock_of", "locked", "make_data_dir"]


def make_data_dir(folder: Path) -> None:
    """Make the data folder, for its owner alone, if it is not there. Raises Refused."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise Refused(f"the data folder {folder} cannot be made: {exc.strerror}") from exc


def lock_of(file: Path) -> Path:
    """Return the file whose lock the running centre holds for an SQLite database."""
    return file.with_name(f"{file.name}.lock")


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made if it is not there. Raises CentreBusy if another process has it.

    The kernel ends the lock with the process, however that ends. The file stays.
    """
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise Refused(f"{file} cannot be written: {exc.strerror}") from exc
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise CentreBusy(f"another centre runs on {file.parent}: it holds {file.name}") from exc
        yield
    finally:
        os.close(descriptor)

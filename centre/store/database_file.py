"""The file of an SQLite database, watched: one that was deleted or replaced takes all writes, and nobody finds them."""

import os

from centre.centre_errors import DatabaseDown

__all__ = ["DatabaseFile"]


class DatabaseFile:
    """The file at a path; None, or nothing on the disk, for a database that needs no watching.

    Open connections keep a file alive that has no name any longer. Any thread may use it.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path if path and path != ":memory:" and not path.startswith("file:") else None
        self._identity: tuple[int, int] | None = None

    def check(self) -> None:
        """Raise DatabaseDown unless the path still leads to the file that it led to at the first check."""
        if self._path is None:
            return
        try:
            found = os.stat(self._path)
        except OSError as exc:
            raise DatabaseDown(f"the database file {self._path} is gone: {exc.strerror}") from exc
        identity = (found.st_dev, found.st_ino)
        if self._identity is None:
            self._identity = identity
        elif identity != self._identity:
            raise DatabaseDown(
                f"the database file {self._path} was replaced while the centre runs: restart the centre to use it"
            )

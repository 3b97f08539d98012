"""TinyDB on files that survive a power cut: the old content or the new, never a part, and damage is noticed.

TinyDB's own storage writes in place. Here a file is written beside the old one, flushed, and put in its place; its
first line carries the checksum of the rest, one JSON document a line. Whoever has written the last of many files makes
their names durable, once (`agent.runtime.durable`). The only file that imports tinydb.
"""

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec.json import decode, encode
from tinydb import TinyDB
from tinydb.storages import MemoryStorage, Storage

from agent.errors import CacheDamaged
from agent.runtime.durable import replace_file

__all__ = ["DurableStorage", "read_documents", "replace_documents"]

_MAGIC = b"kiosk-cache-1"


class DurableStorage(Storage):
    """A TinyDB storage in one file. OSError is passed on; the file is then as it was."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, dict[str, Any]] | None:
        """The tables; none if there is no file. Raises CacheDamaged when the content is not what `write` wrote."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        head, end, body = data.partition(b"\n")
        if not end or head != _head_of(body):
            raise CacheDamaged(f"{self._path}: the checksum does not match")
        tables: dict[str, dict[str, Any]] = {}
        try:
            for line in body.splitlines():
                table, doc_id, document = decode(line)
                tables.setdefault(table, {})[doc_id] = document
        except (ValueError, TypeError, RecursionError) as exc:
            raise CacheDamaged(f"{self._path}: not a table's document: {exc}") from exc
        return tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        # Document by document: encoding them at one go would keep the other threads waiting.
        lines = [
            encode((table, doc_id, document)) + b"\n"
            for table, documents in data.items()
            for doc_id, document in documents.items()
        ]
        body = b"".join(lines)
        replace_file(self._path, _head_of(body) + b"\n" + body)


def _head_of(body: bytes) -> bytes:
    return b"%s %08x %d" % (_MAGIC, zlib.crc32(body), len(body))


def read_documents(path: Path) -> list[dict[str, Any]]:
    """All documents of a file, none if there is no file. Raises CacheDamaged, OSError."""
    with TinyDB(path, storage=DurableStorage) as database:
        return [dict(document) for document in database.table("documents")]


def replace_documents(path: Path, documents: Iterable[dict[str, Any]]) -> None:
    """Let a file hold these documents and no others, in one step, as `replace_file` does. Raises OSError."""
    with TinyDB(storage=MemoryStorage) as database:
        database.table("documents").insert_multiple(documents)
        DurableStorage(path).write(database.storage.read() or {})

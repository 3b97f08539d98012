"""What the centre told us, on disk, so that a kiosk works from its start with the network down.

Orders are spread over 64 TinyDB files, so that a new manifest rewrites a small file, and so is what other kiosks have
counted for them. Reference messages have a file of their own. The broker can send everything again: a damaged file is
set aside and costs only what was in it.
For one thread. Rules: `faults.md#network-down`, `faults.md#damaged-cache`.
"""

import logging
import math
import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, convert, to_builtins
from msgspec.json import decode, encode

from agent.contract.counted import CountedPart
from agent.contract.manifest import Status
from agent.errors import CacheDamaged
from agent.runtime.durable import make_directory, read_file, replace_file, sync_directory

if TYPE_CHECKING:
    from tinydb import TinyDB

__all__ = [
    "DAMAGED_SUFFIX",
    "PACE_S",
    "REFERENCE",
    "SHARDS",
    "Cache",
    "Change",
    "CountedForgotten",
    "DurableStorage",
    "Forgotten",
    "Loaded",
    "ReferenceForgotten",
    "StoredCounted",
    "StoredOrder",
    "StoredReference",
    "references_in",
    "shard_of",
]

_log = logging.getLogger(__name__)

SHARDS = 64
DAMAGED_SUFFIX = ".damaged"

REFERENCE = "reference.db"
"""The file of the reference messages."""

PACE_S = 2.0
"""While scans come, a file of orders is written at most this often: a scan's own flush has to wait for it."""

_MAGIC = b"kiosk-cache-1"
_TABLE = "documents"


# -- records -----------------------------------------------------------------------------------------------------


class StoredOrder(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"order": "key"}):
    """One manifest."""

    order: str
    revision: int
    status: Status
    codes: tuple[str, ...]
    """Its barcodes as `same_case` gives them, so that it can be found without being parsed."""
    source: str
    """See `Manifest.source`."""
    flaws: tuple[str, ...] = ()
    """See `Manifest.flaws`."""


class StoredReference(Struct, frozen=True, kw_only=True, rename={"name": "key"}):
    """One reference message."""

    name: str
    """`operators`, `boxes`, `orders`, `orders/{part}` or `blocked/{part}`."""
    source: str
    """JSON text that parses to an equal message."""


class StoredCounted(Struct, frozen=True, kw_only=True, rename={"order": "key"}):
    """What other kiosks have counted for one order: all its parts."""

    order: str
    parts: tuple[CountedPart, ...]


class Forgotten(Struct, frozen=True, kw_only=True):
    """An order that the cache need not keep any longer."""

    order: str


class ReferenceForgotten(Struct, frozen=True, kw_only=True):
    """A reference message that the centre has removed."""

    name: str


class CountedForgotten(Struct, frozen=True, kw_only=True):
    """An order for which nothing is counted elsewhere any longer."""

    order: str


Change = StoredOrder | StoredReference | StoredCounted | Forgotten | ReferenceForgotten | CountedForgotten

_FORGOTTEN = (Forgotten, ReferenceForgotten, CountedForgotten)

Stored = TypeVar("Stored", StoredOrder, StoredReference, StoredCounted)


class Loaded(Struct, frozen=True, kw_only=True):
    """All that the cache had. `damaged` names the files that could not be read and were set aside."""

    orders: tuple[StoredOrder, ...] = ()
    references: tuple[StoredReference, ...] = ()
    counted: tuple[StoredCounted, ...] = ()
    damaged: tuple[str, ...] = ()


# -- files -------------------------------------------------------------------------------------------------------


_ORDERS = "orders"
_COUNTED = "counted"


def _shard(table: str, number: int) -> str:
    return f"{table}-{number:02d}.db"


def _shard_of(table: str, order: str) -> str:
    return _shard(table, zlib.crc32(order.encode("utf-8", "replace")) % SHARDS)


def shard_of(order: str) -> str:
    """Return the name of the file that holds an order."""
    return _shard_of(_ORDERS, order)


def _place_of(change: Change) -> tuple[str, str]:
    """Return (file, key in it) of what a change is about."""
    if isinstance(change, StoredReference | ReferenceForgotten):
        return REFERENCE, change.name
    table = _COUNTED if isinstance(change, StoredCounted | CountedForgotten) else _ORDERS
    return _shard_of(table, change.order), change.order


class DurableStorage:
    """A TinyDB storage whose file survives a power cut: it has the old content or the new, and damage is noticed.

    The first line has a checksum of the others, each of which is one JSON document. The new file's name is durable
    once `sync_directory` has returned.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Return the tables; None if there is no file. Raise CacheDamaged, or OSError."""
        try:
            data = read_file(self._path)
        except FileNotFoundError:
            return None
        head, end, body = data.partition(b"\n")
        if not end or head != self._head_of(body):
            raise CacheDamaged(f"{self._path}: the checksum does not match")
        tables: dict[str, dict[str, Any]] = {}
        try:
            for line in body.splitlines():
                table, doc_id, document = decode(line)
                tables.setdefault(table, {})[doc_id] = document
        except (ValueError, TypeError, RecursionError) as exc:
            raise CacheDamaged(f"{self._path}: not a document: {exc}") from exc
        return tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the file. Raise OSError; the file is then as it was."""
        # One document at a time, so that the GIL is not held for the whole file.
        lines = [
            encode((table, doc_id, document)) + b"\n"
            for table, documents in data.items()
            for doc_id, document in documents.items()
        ]
        body = b"".join(lines)
        replace_file(self._path, self._head_of(body) + b"\n" + body)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    @staticmethod
    def _head_of(body: bytes) -> bytes:
        return b"%s %08x %d" % (_MAGIC, zlib.crc32(body), len(body))


def _open(path: Path) -> "TinyDB":
    """Open a file. Changes are written once, when the database is closed."""
    # Imported here: a kiosk that starts with an empty cache does not need tinydb yet (budgets.md#start).
    from tinydb import TinyDB
    from tinydb.middlewares import CachingMiddleware

    # TinyDB uses a storage's methods and not its base class.
    return TinyDB(path, storage=CachingMiddleware(DurableStorage))


def _read(path: Path, kind: type[Stored]) -> list[Stored]:
    """Return the records of a file, none if there is no file. Raise CacheDamaged."""
    if not os.path.lexists(path):
        return []
    try:
        with _open(path) as database:
            return [convert(dict(document), kind) for document in database.table(_TABLE)]
    except (OSError, ValueError, TypeError, AttributeError) as exc:
        raise CacheDamaged(f"{path} cannot be read: {exc}") from exc


def references_in(directory: Path) -> Loaded:
    """Return the reference messages of a cache that another process may be using. Raise CacheDamaged."""
    return Loaded(references=tuple(_read(directory / REFERENCE, StoredReference)))


class Cache:
    """The files of one directory, which is created by the first save.

    Changes are added and wait in memory until they are saved, so that one write of a file serves many of them. A
    power cut loses those that wait: the broker has them.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._unsaved: dict[str, dict[str, Change]] = {}
        self._paced_at = -math.inf

    def load(self) -> Loaded:
        """Return all that is cached. Files that cannot be read are set aside; nothing is raised."""
        with suppress(OSError):
            for path in self._directory.glob("*.tmp"):  # a power cut came while it was written
                path.unlink()
        damaged: list[str] = []
        references = self._load(REFERENCE, StoredReference, damaged)
        orders = [one for n in range(SHARDS) for one in self._load(_shard(_ORDERS, n), StoredOrder, damaged)]
        counted = [one for n in range(SHARDS) for one in self._load(_shard(_COUNTED, n), StoredCounted, damaged)]
        return Loaded(
            orders=tuple(orders), references=tuple(references), counted=tuple(counted), damaged=tuple(damaged)
        )

    def _load(self, name: str, kind: type[Stored], damaged: list[str]) -> list[Stored]:
        try:
            return _read(self._directory / name, kind)
        except CacheDamaged:
            self._set_aside(name)
            damaged.append(name)
            return []

    @property
    def waiting(self) -> int:
        """How many changes wait."""
        return sum(map(len, self._unsaved.values()))

    def add(self, changes: Iterable[Change]) -> None:
        """Let changes wait to be saved; of one order or reference message, the newest."""
        for change in changes:
            name, key = _place_of(change)
            self._unsaved.setdefault(name, {})[key] = change

    def save(self, now: float, *, is_quiet: bool) -> bool:
        """Save one file if one is due; return whether one was. `now` is monotonic seconds.

        While no scan comes (`is_quiet`), every file is due, the one that has waited longest first. While scans come,
        files of orders are `PACE_S` apart. Reference messages are always due: they are few, and the kiosk must know
        who may work and what may not ship. Raise OSError: the changes then wait behind the others.
        """
        name = REFERENCE if REFERENCE in self._unsaved else next(iter(self._unsaved), None)
        if name is None or not (is_quiet or name == REFERENCE or now - self._paced_at >= PACE_S):
            return False
        if name != REFERENCE:  # reference messages do not delay orders, however often they come
            self._paced_at = now
        self._save([name])
        return True

    def save_all(self) -> bool:
        """Save everything that waits; return whether anything did. Raise OSError: then everything still waits."""
        if not self._unsaved:
            return False
        self._save([*self._unsaved])
        return True

    def _save(self, names: list[str]) -> None:
        taken = {name: self._unsaved.pop(name) for name in names}
        try:
            make_directory(self._directory)
            for name, changes in taken.items():
                self._update(name, changes)
            sync_directory(self._directory)
        except OSError:
            self._unsaved |= taken
            raise

    def _update(self, name: str, changes: dict[str, Change]) -> None:
        try:
            self._write(name, changes)
        except CacheDamaged:
            _log.warning("a cache file is damaged; it is set aside and a new one begins", extra={"file": name})
            self._set_aside(name)
            self._write(name, changes)

    def _write(self, name: str, changes: dict[str, Change]) -> None:
        from tinydb import where

        with _open(self._directory / name) as database:
            table = database.table(_TABLE)
            table.remove(where("key").one_of([*changes]))
            table.insert_multiple(to_builtins(one) for one in changes.values() if not isinstance(one, _FORGOTTEN))

    def _set_aside(self, name: str) -> None:
        path = self._directory / name
        with suppress(OSError):
            path.replace(path.with_name(name + DAMAGED_SUFFIX))

"""The cache on disk of what the centre told us, so that a kiosk works from its start with the network down.

Orders are spread over shards, so that a new manifest rewrites a small file. A damaged file is set aside and costs only
what was in it: the broker has it all. Not for several threads at once; `save` is the housekeeping thread's.
"""

import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from agent.catalogue.stored import Change, Forgotten, Loaded, StoredOrder, StoredReference
from agent.contract.manifest import Status
from agent.errors import CacheDamaged
from agent.runtime.durable import sync_directory

__all__ = ["DAMAGED_SUFFIX", "REFERENCE", "SHARDS", "Cache", "place_of", "references_in", "shard_of"]

SHARDS = 64
DAMAGED_SUFFIX = ".damaged"

REFERENCE = "reference.db"
"""The file of the reference messages."""

R = TypeVar("R")


def _shard(number: int) -> str:
    return f"orders-{number:02d}.db"


def shard_of(order: str) -> str:
    """The name of the file that holds an order."""
    return _shard(zlib.crc32(order.encode("utf-8", "replace")) % SHARDS)


def place_of(change: Change) -> tuple[str, str]:
    """(file, key in it) of what a change concerns."""
    if isinstance(change, StoredReference):
        return REFERENCE, change.name
    return shard_of(change.order), change.order


def _document_of(change: StoredOrder | StoredReference) -> dict[str, Any]:
    if isinstance(change, StoredReference):
        return {"key": change.name, "source": change.source}
    return {
        "key": change.order,
        "revision": change.revision,
        "status": change.status,
        "codes": change.codes,
        "source": change.source.decode("utf-8"),
    }


def _order_of(document: Mapping[str, Any]) -> StoredOrder:
    return StoredOrder(
        order=document["key"],
        revision=document["revision"],
        status=Status(document["status"]),
        codes=tuple(document["codes"]),
        source=document["source"].encode("utf-8"),
    )


def _reference_of(document: Mapping[str, Any]) -> StoredReference:
    return StoredReference(name=document["key"], source=document["source"])


def references_in(directory: Path) -> tuple[StoredReference, ...]:
    """The reference messages of a cache that may be another process's: nothing is changed. Raises CacheDamaged."""
    from agent.catalogue.storage import read_documents

    path = directory / REFERENCE
    try:
        return tuple(_reference_of(document) for document in read_documents(path)) if path.exists() else ()
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise CacheDamaged(f"{path} cannot be read: {exc}") from exc


class Cache:
    """The files of one folder, which is made when something is first saved."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def load(self) -> Loaded:
        """All that is cached. Never raises for what stands on the disk: what cannot be read is named in `damaged`."""
        damaged: list[str] = []
        self._sweep()
        references = self._load_file(REFERENCE, _reference_of, damaged)
        orders = [order for n in range(SHARDS) for order in self._load_file(_shard(n), _order_of, damaged)]
        return Loaded(orders=tuple(orders), references=tuple(references), damaged=tuple(damaged))

    def save(self, changes: Iterable[Change]) -> tuple[str, ...]:
        """Make changes durable; the names of files found damaged, which were set aside and begun anew.

        Raises OSError when the disk does not take them: some may then be saved, and all may be saved again.
        """
        damaged: list[str] = []
        by_file: dict[str, dict[str, Change]] = defaultdict(dict)
        for change in changes:
            name, key = place_of(change)
            by_file[name][key] = change
        if by_file:
            self._directory.mkdir(parents=True, exist_ok=True)
        for name, of_file in by_file.items():
            self._update(name, of_file, damaged)
        if by_file:
            sync_directory(self._directory)
        return tuple(damaged)

    def _load_file(self, name: str, read: Callable[[Mapping[str, Any]], R], damaged: list[str]) -> list[R]:
        path = self._directory / name
        if not os.path.lexists(path):
            return []
        # Imported here: a kiosk that starts empty does not need tinydb yet.
        from agent.catalogue.storage import read_documents

        try:
            return [read(document) for document in read_documents(path)]
        except (CacheDamaged, OSError, KeyError, TypeError, ValueError, AttributeError):
            self._set_aside(name, damaged)
            return []

    def _update(self, name: str, changes: Mapping[str, Change], damaged: list[str]) -> None:
        from agent.catalogue.storage import read_documents, replace_documents

        path = self._directory / name
        try:
            kept = {document["key"]: document for document in read_documents(path)}
        except (CacheDamaged, KeyError):
            self._set_aside(name, damaged)
            kept = {}
        for key, change in changes.items():
            if isinstance(change, Forgotten):
                kept.pop(key, None)
            else:
                kept[key] = _document_of(change)
        replace_documents(path, kept.values())

    def _set_aside(self, name: str, damaged: list[str]) -> None:
        damaged.append(name)
        path = self._directory / name
        with suppress(OSError):
            path.replace(path.with_name(name + DAMAGED_SUFFIX))

    def _sweep(self) -> None:
        """What a power cut left of a file that was being written."""
        with suppress(OSError):
            for path in self._directory.glob("*.tmp"):
                path.unlink()

"""A simulated disk that loses power: records what a journal writes, and yields what could be left after each step.

The model: writes and truncations of a file are pending until the file is flushed; names in the directory are pending
until the directory is flushed. A power cut keeps any set of 512-byte sectors of the pending writes, and any prefix of
the pending names, because file systems journal those in order. After a failed flush the pending data are never written
on their own: some sectors are on disk, the others only appear to be.
"""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SECTOR = 512


@dataclass
class File:
    durable: bytes = b""
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)

    def after(self, keep: Callable[[], bool]) -> bytes:
        """Return the content with those sectors of the pending writes for which `keep` returns true."""
        content = bytearray(self.durable)
        for what, offset, data in self.pending:
            if what == "truncate":
                if keep():
                    content = content[:offset].ljust(offset, b"\0")
                continue
            at = offset
            while at < offset + len(data):
                end = min((at // SECTOR + 1) * SECTOR, offset + len(data))
                if keep():
                    content = content.ljust(end, b"\0")
                    content[at:end] = data[at - offset : end - offset]
                at = end
        return bytes(content)


@dataclass
class Names:
    """Which name is which file. `pending` are the changes in order, None for a removed name; a rename is one change."""

    durable: dict[str, File] = field(default_factory=dict)
    pending: list[dict[str, File | None]] = field(default_factory=list)

    def after(self, steps: int) -> dict[str, File]:
        names: dict[str, File | None] = dict(self.durable)
        for step in self.pending[:steps]:
            names.update(step)
        return {name: file for name, file in names.items() if file is not None}


class Disk:
    """Records the calls by which a journal changes its directory. `on_step` is called after each of them."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, on_step: Callable[[], None]) -> None:
        self._directory = directory
        self._on_step = on_step
        self._names = Names()
        self._files: dict[int, File | None] = {}
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            self._names.durable[path.name] = File(path.read_bytes())
        for name in ("open", "close", "pwrite", "fsync", "fdatasync", "ftruncate", "replace", "unlink"):
            monkeypatch.setattr(os, name, self._wrapped(getattr(self, f"_{name}"), getattr(os, name)))

    def _wrapped(self, step: Callable[..., None], real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            result = real(*args)
            step(result, *args)
            return result

        return call

    def _now(self) -> dict[str, File]:
        return self._names.after(len(self._names.pending))

    def _open(self, fd: int, path: Any, flags: int, mode: int = 0o777) -> None:
        path = Path(path)
        if path == self._directory:
            self._files[fd] = None
        if path.parent != self._directory:
            return
        file = self._now().get(path.name)
        if file is None:
            assert flags & os.O_CREAT, mode
            file = File()
            self._names.pending.append({path.name: file})
            self._on_step()
        elif flags & os.O_TRUNC:
            file.pending.append(("truncate", 0, b""))
            self._on_step()
        self._files[fd] = file

    def _close(self, _: None, fd: int) -> None:
        self._files.pop(fd, None)

    def _pwrite(self, written: int, fd: int, data: Any, offset: int) -> None:
        file = self._files[fd]
        assert file is not None
        file.pending.append(("write", offset, bytes(data[:written])))
        self._on_step()

    def _ftruncate(self, _: None, fd: int, size: int) -> None:
        file = self._files[fd]
        assert file is not None
        file.pending.append(("truncate", size, b""))
        self._on_step()

    def _fdatasync(self, _: None, fd: int) -> None:
        if fd not in self._files:
            return
        file = self._files[fd]
        if file is None:
            self._names.durable = self._now()
            self._names.pending.clear()
        else:
            file.durable = file.after(lambda: True)
            file.pending.clear()
        self._on_step()

    _fsync = _fdatasync

    def fail_flush(self, fd: int, rng: random.Random) -> None:
        file = self._files[fd]
        assert file is not None
        file.durable = file.after(lambda: rng.random() < 0.5)
        file.pending.clear()
        self._on_step()

    def _replace(self, _: None, source: Any, target: Any) -> None:
        file = self._now()[Path(source).name]
        self._names.pending.append({Path(source).name: None, Path(target).name: file})
        self._on_step()

    def _unlink(self, _: None, path: Any) -> None:
        if Path(path).parent == self._directory:
            self._names.pending.append({Path(path).name: None})
            self._on_step()

    def cuts(self, rng: random.Random, torn: int) -> Iterator[dict[str, bytes]]:
        """Yield what a power cut could leave: nothing of what is pending, all, names only, and `torn` random parts."""
        steps = len(self._names.pending)
        yield self._cut(0, lambda: False)
        yield self._cut(steps, lambda: True)
        yield self._cut(steps, lambda: False)
        for _ in range(torn):
            yield self._cut(rng.randint(0, steps), lambda: rng.random() < 0.5)

    def _cut(self, steps: int, keep: Callable[[], bool]) -> dict[str, bytes]:
        return {name: file.after(keep) for name, file in self._names.after(steps).items()}


def lay_out(image: dict[str, bytes], directory: Path) -> None:
    directory.mkdir()
    for name, content in image.items():
        (directory / name).write_bytes(content)

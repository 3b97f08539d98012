"""Folders on the disk that is measured, and an ext4 like a kiosk's."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from harness.kiosk import REPOSITORY
from harness.servers import find_program

__all__ = ["MEMORY", "Scratch", "kiosk_disk"]

MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
"""For files that must not touch the measured disk."""
_DISK_MB = 512


class Scratch:
    """A temporary folder, by default beside the checkout and so never on a tmpfs. Context-managed."""

    def __init__(self, under: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=".bench-", dir=under or REPOSITORY))

    def folder(self, name: str) -> Path:
        """Return a new, empty folder."""
        path = self.path / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def kiosk_disk(scratch: Scratch) -> Iterator[Scratch | None]:
    """Yield a scratch folder on an ext4 of its own, made by mkfs with its defaults; None where none can be mounted.

    Only there do the bounds on times and bytes hold (budgets.md#method): it is what kiosks have. Needs root and loop
    devices.
    """
    with ExitStack() as undo:
        try:
            found = undo.enter_context(_mounted_ext4(scratch))
        except (OSError, subprocess.CalledProcessError) as exc:
            print(f"no ext4 can be mounted here, so nothing is held to the disk's bounds: {exc}", file=sys.stderr)
            found = None
        yield None if found is None else Scratch(found)


@contextmanager
def _mounted_ext4(scratch: Scratch) -> Iterator[Path]:
    image, folder = scratch.path / "disk.img", scratch.folder("disk")
    with image.open("wb") as file:
        os.truncate(file.fileno(), _DISK_MB << 20)
    now = "lazy_itable_init=0,lazy_journal_init=0"  # else the kernel goes on initialising while we measure
    subprocess.run([find_program("mkfs.ext4"), "-q", "-E", now, str(image)], check=True)
    subprocess.run([find_program("mount"), "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)

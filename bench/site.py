"""The names that the benches use, and the folders on the disk that is measured."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

__all__ = ["BADGE", "DEADLINE_S", "KIOSK", "MEMORY", "REPOSITORY", "ROOT", "SITE", "TAC", "Scratch", "own_disk"]

REPOSITORY = Path(__file__).resolve().parents[1]
SITE = "rtm1"
KIOSK = "bench-1"
ROOT = f"kiosk/v1/{SITE}"
TAC = "49015420"
BADGE = "B7"
DEADLINE_S = 120.0
DISK_MB = 512
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
"""For what must not reach the measured disk."""


class Scratch:
    """Folders on the disk that is measured: beside the checkout, never on a tmpfs."""

    def __init__(self, under: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=".bench-", dir=under or REPOSITORY))

    def folder(self, name: str) -> Path:
        path = self.path / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def own_disk(scratch: Scratch) -> Iterator[Path]:
    """A folder on an ext4 of its own, as mkfs makes it, whose block device nobody else writes to. Needs root.

    Raises OSError or CalledProcessError where there are no loop devices.
    """
    image, folder = scratch.path / "disk.img", scratch.folder("disk")
    with image.open("wb") as file:
        os.truncate(file.fileno(), DISK_MB << 20)
    now = "lazy_itable_init=0,lazy_journal_init=0"
    subprocess.run(["mkfs.ext4", "-q", "-E", now, str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)

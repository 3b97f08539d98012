"""The guests' images: where they are kept, and whether they are still made from what is in this checkout."""

import hashlib
import os
import subprocess
from pathlib import Path

from harness.servers import find_program

__all__ = ["CACHE", "CannotBuild", "build"]

CACHE = Path(os.environ.get("KIOSK_RIG_CACHE", Path.home() / ".cache" / "kiosk-agent-rig"))

_ROOT = Path(__file__).parents[2]
_INPUTS = ("agent", "systemd", "firmware-config", "make/install.mk", "pyproject.toml", "tests/rig/build")
_PROGRAMS = (
    "apt-cache", "apt-get", "chroot", "dpkg-deb", "gcc", "gcc-12", "gzip", "make", "mke2fs", "python3", "tar",
)  # fmt: skip
"""What the build scripts run on this machine. Everything else they fetch."""


class CannotBuild(RuntimeError):
    """An image cannot be built; the text says what is missing or which script has failed."""


def build(script: str = "build_image.sh", folder: str = "img") -> None:
    """Build the image in `folder` of the cache with tests/rig/build/`script`, unless it is up to date.

    Raises CannotBuild.
    """
    stamp, wanted = CACHE / folder / "inputs", _inputs_hash()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if missing := [name for name in _PROGRAMS if not _is_installed(name)]:
        raise CannotBuild(f"these programs are needed and not installed: {', '.join(missing)}")
    environment = dict(os.environ, KIOSK_RIG_CACHE=str(CACHE))
    done = subprocess.run([_ROOT / "tests/rig/build" / script], env=environment, check=False)
    if done.returncode:
        raise CannotBuild(f"tests/rig/build/{script} ended with {done.returncode}; its logs are in {CACHE}")
    stamp.write_text(wanted)


def _is_installed(program: str) -> bool:
    try:
        find_program(program)
    except FileNotFoundError:
        return False
    return True


def _inputs_hash() -> str:
    """Return a hash of everything that an image is made from."""
    digest = hashlib.sha256()
    for name in _INPUTS:
        path = _ROOT / name
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(_ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()

"""The guests' images: where they are kept, and whether they are still made from what is in this checkout."""

import hashlib
import os
import subprocess
from pathlib import Path

__all__ = ["CACHE", "RELEASE", "CannotBuild", "build"]

RELEASE = os.environ.get("RELEASE", "bookworm")
"""The guests' release of Debian."""

_CACHES = Path(os.environ.get("KIOSK_RIG_CACHE", Path.home() / ".cache" / "kiosk-agent-rig"))
CACHE = _CACHES / RELEASE

_ROOT = Path(__file__).parents[2]
_INPUTS = (
    "agent", "systemd", "firmware-config", "make/install.mk", "pyproject.toml", "locks", "scripts/debian_root.sh",
    "tests/rig/build", "tests/rig/guest",
)  # fmt: skip


class CannotBuild(RuntimeError):
    """An image cannot be built; the build has said why."""


def build(architecture: str) -> None:
    """Build the guest's image for `architecture` (amd64 or arm64), unless it is up to date. Raises CannotBuild."""
    stamp, wanted = CACHE / architecture / "img" / "inputs", _inputs_hash()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    environment = dict(os.environ, KIOSK_RIG_CACHE=str(_CACHES), RELEASE=RELEASE)
    done = subprocess.run([_ROOT / "tests/rig/build/build.sh", architecture], env=environment, check=False)
    if done.returncode:
        raise CannotBuild(f"the {architecture} image is not built; the logs are in {CACHE}")
    stamp.write_text(wanted)


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

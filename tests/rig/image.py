"""The guests' images: where they are kept, and whether they are still made of what is in this checkout."""

import hashlib
import os
import subprocess
from pathlib import Path

__all__ = ["CACHE", "build"]

CACHE = Path(os.environ.get("KIOSK_RIG_CACHE", Path.home() / ".cache" / "kiosk-agent-rig"))

_ROOT = Path(__file__).parents[2]
_INPUTS = ("agent", "systemd", "firmware-config", "make/install.mk", "pyproject.toml", "tests/rig/build")


def build(script: str = "build_image.sh", folder: str = "img") -> None:
    """Have tests/rig/build/`script` build the image in `folder` of the cache, unless it is made of the same already."""
    stamp, wanted = CACHE / folder / "inputs", _inputs_hash()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    subprocess.run([_ROOT / "tests/rig/build" / script], env=dict(os.environ, KIOSK_RIG_CACHE=str(CACHE)), check=True)
    stamp.write_text(wanted)


def _inputs_hash() -> str:
    """Of everything that an image is made of."""
    digest = hashlib.sha256()
    for name in _INPUTS:
        path = _ROOT / name
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(_ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()

"""Where things are in the repository."""

import subprocess
from functools import cache
from pathlib import Path

__all__ = ["DOCS", "REFERENCE", "ROOT", "tracked"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"


@cache
def tracked() -> tuple[Path, ...]:
    """Return every file of the repository that git does not ignore, whether it is committed yet or not."""
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(sorted({path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()}))

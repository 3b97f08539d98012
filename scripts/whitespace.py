"""Remove blanks at line ends and make each file end in exactly one newline.

Usage: whitespace.py FILE... . The exit code is 1 if a file was changed, so that a commit hook stops.
"""

import sys
from pathlib import Path


def tidy(text: str) -> str:
    lines = [line.rstrip(" \t") for line in text.split("\n")]
    body = "\n".join(lines).rstrip("\n")
    return body + "\n" if body else ""


def main(paths: list[Path]) -> int:
    changed = 0
    for path in paths:
        text = path.read_text("utf-8")
        if (tidied := tidy(text)) != text:
            path.write_text(tidied, "utf-8")
            print(f"tidied {path}")
            changed = 1
    return changed


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))

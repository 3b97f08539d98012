"""The files of docs/reference/schemas/."""

import json
from pathlib import Path

from scripts.docs.asyncapi import asyncapi
from scripts.docs.paths import REFERENCE
from scripts.docs.schemas import schemas

__all__ = ["FOLDER", "schema_files"]

FOLDER = REFERENCE / "schemas"


def schema_files() -> dict[Path, str]:
    """Return the text that every file should have, by its path."""
    texts = {**schemas(), "asyncapi": asyncapi()}
    return {
        FOLDER / f"{name}.json": json.dumps(texts[name], indent=2, ensure_ascii=False) + "\n" for name in sorted(texts)
    }

"""The Markdown pages of the project, and what can be read from their text."""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ROOT", "anchors_of", "fences_of", "links_of", "pages", "prose_of"]

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


def pages() -> list[Path]:
    """All pages that are part of the project."""
    folders = [ROOT, ROOT / "docs", ROOT / "deploy"]
    found = [*folders[0].glob("*.md"), *folders[1].rglob("*.md"), *folders[2].rglob("*.md")]
    return sorted(found)


def fences_of(page: Path, language: str) -> list[str]:
    """The contents of the code blocks of one language."""
    return [body for _, name, body in _FENCE.findall(page.read_text("utf-8")) if name == language]


def prose_of(page: Path) -> str:
    """The page without its code blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def links_of(page: Path) -> Iterator[tuple[str, str]]:
    """The (path, anchor) of each link that stays in the project; either may be empty."""
    for target in _LINK.findall(prose_of(page)):
        if "://" not in target and not target.startswith("mailto:"):
            path, _, anchor = target.partition("#")
            yield path, anchor


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    return {_slug(heading) for heading in _HEADING.findall(prose_of(page))}


def _slug(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")

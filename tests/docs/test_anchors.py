"""Anchors exist, wherever they are named."""

from collections import Counter
from pathlib import Path

import pytest

from scripts.docs.anchors import RULE_PAGES, anchors_of, headings, named_in, page_named, slug
from scripts.docs.paths import DOCS, REFERENCE, ROOT, tracked

SUFFIXES = {".py", ".md", ".toml", ".service", ".mk", ".yml"}
PLACEHOLDER = "page.md#anchor"


def sources() -> list[Path]:
    return [path for path in tracked() if path.suffix in SUFFIXES or path.name == "Makefile"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_anchors_named_anywhere_exist() -> None:
    wrong = []
    for path in sources():
        for match in named_in(path.read_text("utf-8")):
            page = page_named(match["page"])
            if match[0] != PLACEHOLDER and (page is None or match["anchor"] not in anchors_of(page)):
                wrong.append(f"{name_of(path)}: {match[0]}")
    assert not wrong


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_no_anchor_stands_twice_on_a_page(path: Path) -> None:
    found = Counter(slug(title) for _, title in headings(path.read_text("utf-8")))
    assert [anchor for anchor, times in found.items() if times > 1] == []


def test_every_page_of_the_reference_has_its_rules_listed() -> None:
    assert {path.name for path in REFERENCE.glob("*.md")} == {
        *RULE_PAGES,
        "index.md",
        "rest-api.md",
        "rules.md",
        "centre-commands.md",
        "centre-settings.md",
    }

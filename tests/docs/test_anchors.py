"""Anchors and links lead somewhere, wherever they are written."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.docs.anchors import RULE_PAGES, anchors_of, headings, named_in, page_named, slug
from scripts.docs.paths import DOCS, REFERENCE, ROOT, tracked

SUFFIXES = {".py", ".md", ".toml", ".service", ".mk", ".yml"}
PLACEHOLDER = "page.md#anchor"
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def sources() -> list[Path]:
    return [path for path in tracked() if path.suffix in SUFFIXES or path.name == "Makefile"]


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def links_of(path: Path) -> Iterator[str]:
    """Yield the target of each link of a page; what is in code is none."""
    for match in _LINK.finditer(_CODE.sub("", path.read_text("utf-8"))):
        if not re.match(r"[a-z]+:", match["target"]):
            yield match["target"]


def test_anchors_named_anywhere_exist() -> None:
    wrong = []
    for path in sources():
        for match in named_in(path.read_text("utf-8")):
            page = page_named(match["page"])
            if match[0] != PLACEHOLDER and (page is None or match["anchor"] not in anchors_of(page)):
                wrong.append(f"{name_of(path)}: {match[0]}")
    assert not wrong


@pytest.mark.parametrize("path", pages(), ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    for link in links_of(path):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{link}: no such file"
        assert not anchor or anchor in anchors_of(target), f"{link}: no such heading"


@pytest.mark.parametrize("path", [path for path in pages() if path.is_relative_to(DOCS)], ids=name_of)
def test_no_anchor_stands_twice_on_a_page(path: Path) -> None:
    found = Counter(slug(title) for _, title in headings(path.read_text("utf-8")))
    assert [anchor for anchor, times in found.items() if times > 1] == []


def test_every_page_of_the_reference_has_its_rules_listed() -> None:
    assert {path.name for path in REFERENCE.glob("*.md")} == {*RULE_PAGES, "index.md", "rules.md"}

"""Links and paths in the pages lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors_of, links_of, pages, prose_of

FOLDERS = "agent|bench|centre|deploy|docs|firmware-config|harness|locks|make|scripts|systemd|tests"
PATH = re.compile(rf"(?<![\w/.{{}}-])(?:{FOLDERS})/[\w./-]*\w/?")
TEST = re.compile(r"`((?:[a-z_]+/)+test_\w+\.py)`")
GENERATED = {"bench/results.json", "bench/centre-results.json", "bench/.peers", "docs/assets/mermaid.min.js"}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_a_page_and_a_heading(page: Path) -> None:
    for path, anchor in links_of(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{path} does not exist"
        if anchor:
            assert anchor in anchors_of(target), f"{path} has no heading #{anchor}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_are_named_exist(page: Path) -> None:
    text = prose_of(page)
    named = {path.rstrip("/") for path in PATH.findall(text)} - GENERATED
    named |= {test if test.startswith("tests/") else f"tests/{test}" for test in TEST.findall(text)}
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert not missing

"""What docs/reference/ takes from the code is up to date."""

from pathlib import Path

import pytest

from scripts.docs.blocks import BLOCKS, pages
from scripts.docs.paths import REFERENCE


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.md")), ids=lambda path: path.name)
def test_page_is_as_generated(path: Path) -> None:
    assert path.read_text("utf-8") == pages()[path], f"docs/reference/{path.name} is out of date: run `make docs`"


def test_every_block_stands_on_one_page() -> None:
    text = "".join(path.read_text("utf-8") for path in pages())
    assert {name: text.count(f"<!-- generated: {name} -->") for name in BLOCKS} == dict.fromkeys(BLOCKS, 1)

"""The rules of docs/reference/ and their anchors, and where anchors are named.

A rule is a heading of the third level. Its anchor is the heading in lower case, its words joined by `-`, as the site
makes it.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scripts.docs.paths import DOCS, REFERENCE

__all__ = [
    "RULE_PAGES",
    "Rule",
    "anchors_of",
    "headings",
    "linked",
    "named_in",
    "page_named",
    "rules_of_all_pages",
    "slug",
]

_HEADING = re.compile(r"(?P<level>#{1,6}) (?P<title>.*\S)")
_NAMED = re.compile(r"\b(?P<page>[a-z][a-z0-9-]*\.md)#(?P<anchor>[a-z0-9-]+)")

RULE_PAGES = (
    "scanning.md",
    "workflow.md",
    "signals.md",
    "mqtt.md",
    "settings.md",
    "commands.md",
    "faults.md",
    "budgets.md",
)
RULE_LEVEL = 3


class Rule(NamedTuple):
    """A rule; `name` is what code and tests call it: `workflow.md#scan-a-unit`."""

    name: str
    title: str


def slug(title: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield level and title of each heading of a page, those in code blocks left out."""
    in_code = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and (match := _HEADING.fullmatch(line)):
            yield len(match["level"]), match["title"]


@cache
def anchors_of(page: Path) -> frozenset[str]:
    """Return every anchor of a page."""
    return frozenset(slug(title) for _, title in headings(page.read_text("utf-8")))


@cache
def rules_of_all_pages() -> tuple[Rule, ...]:
    """Return all rules, page by page."""
    return tuple(
        Rule(f"{page}#{slug(title)}", title)
        for page in RULE_PAGES
        for level, title in headings((REFERENCE / page).read_text("utf-8"))
        if level == RULE_LEVEL
    )


@cache
def page_named(name: str) -> Path | None:
    """Return the page that `name` stands for in code: one of docs/reference/, or else of the rest of docs/."""
    found = sorted(DOCS.rglob(name), key=lambda path: path.parent != REFERENCE)
    return found[0] if found else None


def named_in(text: str) -> Iterator[re.Match[str]]:
    """Yield a match, with the groups `page` and `anchor`, for every `page.md#anchor` in a text."""
    return _NAMED.finditer(text)


def linked(text: str) -> str:
    """Return a text from the code with each `page.md#anchor` of docs/reference/ made a link."""
    titles = {rule.name: rule.title for rule in rules_of_all_pages()}

    def link(match: re.Match[str]) -> str:
        name = match[0].strip("`")
        return f"[{titles[name]}]({name})" if name in titles else match[0]

    return re.sub(f"`{_NAMED.pattern}`", link, text)

"""The table of docs/reference/rules.md: which code carries out each rule, and which tests prove it."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from scripts.docs.anchors import headings, rules_of_all_pages
from scripts.docs.citations import Citation, citations_below
from scripts.docs.markdown import code, table
from scripts.docs.paths import REFERENCE

__all__ = ["proofs", "rules"]


def rules() -> str:
    """Return a table for each page: rule, code, tests."""
    in_code, in_tests = _by_rule(citations_below("agent")), proofs()
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for rule in rules_of_all_pages():
        link = f"[{rule.title}]({rule.name})"
        rows[rule.name.split("#")[0]].append((link, _places(in_code[rule.name]), _places(in_tests[rule.name])))
    return "\n".join(
        f"## {_title(page)}\n\n{table(('rule', 'code', 'tests'), of_page)}" for page, of_page in rows.items()
    )


def proofs() -> dict[str, list[Citation]]:
    """Return the tests that name each rule.

    Tests of the documentation prove nothing. Budgets are proved by `make bench`, so for them bench/ counts as well.
    """
    tests = (one for one in citations_below("tests") if not one.path.is_relative_to("tests/docs"))
    benches = (one for one in citations_below("bench") if one.rule.startswith("budgets.md#"))
    return _by_rule([*tests, *benches])


def _by_rule(citations: Iterable[Citation]) -> dict[str, list[Citation]]:
    found = defaultdict(list)
    for one in citations:
        found[one.rule].append(one)
    return found


def _title(page: str) -> str:
    return next(title for _, title in headings((REFERENCE / page).read_text("utf-8")))


def _places(citations: Iterable[Citation]) -> str:
    holders: dict[Path, list[str]] = defaultdict(list)
    for one in citations:
        holders[one.path].append(one.holder)
    return "<br>".join(_place(path, names) for path, names in holders.items())


def _place(path: Path, holders: Iterable[str]) -> str:
    return " ".join((f"[{path}](../../{path})", ", ".join(code(name) for name in holders if name))).rstrip()

"""Where the code and the tests name rules, as `page.md#anchor` in a docstring or comment."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scripts.docs.anchors import named_in
from scripts.docs.paths import ROOT, tracked

__all__ = ["Citation", "citations_below"]


class Citation(NamedTuple):
    """A place that names a rule: `holder` is the function, method or class, or empty for the module as a whole."""

    rule: str
    path: Path
    holder: str


@cache
def citations_below(folder: str) -> tuple[Citation, ...]:
    """Return every citation in the Python files below a folder of the repository, in order, each once."""
    files = [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / folder)]
    return tuple(dict.fromkeys(one for path in files for one in _citations_in(path)))


def _citations_in(path: Path) -> Iterator[Citation]:
    text = path.read_text("utf-8")
    found = list(named_in(text))
    if not found:
        return
    holders = list(_holders(ast.parse(text).body, ""))
    for match in found:
        line = text.count("\n", 0, match.start()) + 1
        # The innermost one comes last.
        holder = next((name for name, first, last in reversed(holders) if first <= line <= last), "")
        yield Citation(match[0], path.relative_to(ROOT), holder)


def _holders(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, first and last line of each class, method and function; what is within a function is the function."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield prefix + node.name, first, node.end_lineno
            if isinstance(node, ast.ClassDef):
                yield from _holders(node.body, f"{prefix}{node.name}.")

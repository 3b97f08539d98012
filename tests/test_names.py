"""No module and no class in agent/ and centre/ has the name of another one, so that a name says where it is from."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]

PROGRAMS = ("agent", "centre")
EXEMPT = ("agent/commands/", "agent/demo/", "centre/commands/", "centre/store/migrations/")
"""Commands are named after their verb, nothing imports the demo, and Alembic names what it runs."""


def modules() -> list[Path]:
    found = (
        (path, str(path.relative_to(ROOT))) for program in PROGRAMS for path in sorted((ROOT / program).rglob("*.py"))
    )
    return [path for path, name in found if path.stem not in ("__init__", "__main__") and not name.startswith(EXEMPT)]


def twice(named: list[tuple[str, Path]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for name, path in named:
        places[name].append(str(path.relative_to(ROOT)))
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_module_name_stands_twice() -> None:
    assert not twice([(path.stem, path) for path in modules()])


def test_no_class_name_stands_twice() -> None:
    classes = [
        (node.name, path)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        # A private class of the centre is seen in its own file alone: what it decodes is named the same in several.
        if isinstance(node, ast.ClassDef) and not (node.name.startswith("_") and path.is_relative_to(ROOT / "centre"))
    ]
    assert not twice(classes)

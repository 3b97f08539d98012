"""No module and no class in agent/ has the name of another one, so that a name says where it is from."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]

EXEMPT = ("agent/commands/", "agent/demo/")
"""Commands are named after their verb, and nothing imports the demo."""


def modules() -> list[Path]:
    found = ((path, str(path.relative_to(ROOT))) for path in sorted((ROOT / "agent").rglob("*.py")))
    return [path for path, name in found if path.stem != "__init__" and not name.startswith(EXEMPT)]


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
        if isinstance(node, ast.ClassDef)
    ]
    assert not twice(classes)

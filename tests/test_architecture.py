"""The house holds: imports point one way, and each third-party library lives at its edge."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What each room may import of ours; a room may always import itself. A room that is not listed may import everything.
GROUND = ("agent", "agent.errors", "agent.scan")
MAY_IMPORT = {
    "agent.errors": (),
    "agent.exit_codes": ("agent.errors",),
    "agent.scan": (),
    "agent.contract": (),
    "agent.runtime": ("agent.errors",),
    "agent.catalogue": (*GROUND, "agent.contract", "agent.runtime"),
    "agent.workflow": (*GROUND, "agent.contract"),
    "agent.journal": (*GROUND, "agent.runtime"),
    "agent.config": (*GROUND, "agent.contract", "agent.runtime"),
    "agent.drivers": (*GROUND, "agent.contract", "agent.runtime"),
    "agent.uplink": (*GROUND, "agent.contract", "agent.runtime"),
    "agent.sheet": (*GROUND, "agent.contract", "agent.catalogue", "agent.drivers.scanners.learning"),
}

EDGES = {
    "evdev": {"agent/drivers/scanners/evdev.py"},
    "serial": {"agent/drivers/scanners/serial.py"},
    "gpiozero": {"agent/drivers/indicators/gpio.py"},
    "paho": {"agent/uplink/client.py"},
    "tinydb": {"agent/catalogue/cache.py"},
    "reportlab": {"agent/sheet/pdf.py"},
    "stdnum": {"agent/contract/check_digits.py"},
    "amqtt": {"agent/demo/"},
}


def sources() -> list[Path]:
    return sorted((ROOT / "agent").rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def is_within(module: str, place: str) -> bool:
    return module == place or (place != "agent" and module.startswith(place + "."))


def room_of(module: str) -> str | None:
    """The listed room of a module; None: it is on the top floor and may import everything."""
    return next((room for room in MAY_IMPORT if is_within(module, room)), None)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(module_of(path))
    if room is None:
        return
    ours = [name for name in imports_of(path) if is_within(name, "agent") or name.startswith("agent.")]
    wrong = [name for name in ours if not any(is_within(name, place) for place in (room, *MAY_IMPORT[room]))]
    assert not wrong, f"{module_of(path)} must not import {wrong}"


@pytest.mark.parametrize("library", EDGES)
def test_each_library_stays_at_its_edge(library: str) -> None:
    users = {
        str(path.relative_to(ROOT)) for path in sources() if any(is_within(name, library) for name in imports_of(path))
    }
    assert users, f"{library} is a dependency that nothing uses"
    outside = {user for user in users if not any(user.startswith(place) for place in EDGES[library])}
    assert not outside, f"{library} is imported beyond its edge: {outside}"


def test_no_production_code_imports_the_demo() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in sources()
        if any(is_within(name, "agent.demo") for name in imports_of(path))
    }
    assert {user for user in users if not user.startswith("agent/demo/")} == {"agent/commands/demo.py"}


def test_the_harness_sees_the_product_from_outside() -> None:
    harness = sorted((ROOT / "harness").glob("*.py"))
    assert harness
    wrong = {
        f"{path.name}: {name}"
        for path in harness
        for name in imports_of(path)
        if name.split(".")[0] in ("agent", "bench", "tests")
    }
    assert not wrong

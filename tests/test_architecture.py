"""The house holds: imports point one way, and each third-party library lives at its edge."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up; a module may import its own floor's entry and what is listed as its ground.
BOTTOM = (
    "agent",
    "agent.errors",
    "agent.durable",
    "agent.scan",
    "agent.reasons",
    "agent.signals",
    "agent.clock",
    "agent.identifiers",
    "agent.log",
    "agent.systemd",
    "agent.threads",
    "agent.waker",
)
REFERENCE = (*BOTTOM, "agent.reference")
MAY_IMPORT = {
    "agent.reference": REFERENCE,
    "agent.events": (*BOTTOM, "agent.reference.manifest"),
    "agent.cloudevents": (*BOTTOM, "agent.reference.manifest", "agent.events"),
    "agent.workflow": (*REFERENCE, "agent.events", "agent.cloudevents", "agent.workflow"),
    "agent.journal": (*BOTTOM, "agent.journal"),
    "agent.config": (*BOTTOM, "agent.reference.manifest", "agent.config"),
    "agent.drivers": (*BOTTOM, "agent.drivers"),
    "agent.uplink": (*REFERENCE, "agent.events", "agent.cloudevents", "agent.uplink"),
    "agent.sheet": (*REFERENCE, "agent.drivers.learning", "agent.sheet"),
    **dict.fromkeys(BOTTOM, BOTTOM),
}

EDGES = {
    "evdev": {"agent/drivers/evdev.py"},
    "serial": {"agent/drivers/serial.py"},
    "gpiozero": {"agent/drivers/gpio.py"},
    "paho": {"agent/uplink/client.py"},
    "tinydb": {"agent/reference/storage.py"},
    "rich": {"agent/demo/"},
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


def floor_of(module: str) -> tuple[str, ...] | None:
    """What a module may import of ours; none: it is on the top floor and may import everything."""
    for place, ground in MAY_IMPORT.items():
        if is_within(module, place):
            return ground
    return None


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    ground = floor_of(module_of(path))
    if ground is None:
        return
    ours = [name for name in imports_of(path) if is_within(name, "agent") or name.startswith("agent.")]
    wrong = [name for name in ours if not any(is_within(name, place) for place in ground)]
    assert not wrong, f"{module_of(path)} must not import {wrong}"


@pytest.mark.parametrize("library", EDGES)
def test_each_library_stays_at_its_edge(library: str) -> None:
    users = {
        str(path.relative_to(ROOT)) for path in sources() if any(is_within(name, library) for name in imports_of(path))
    }
    assert users, f"{library} is a dependency that nothing uses"
    outside = {user for user in users if not any(user.startswith(place) for place in EDGES[library])}
    assert not outside, f"{library} is imported beyond its edge: {outside}"

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

CENTRE_GROUND = (
    "centre",
    "centre.centre_errors",
    "centre.moments",
    "centre.changes",
    "centre.legible",
    "centre.unreadable",
)
CENTRE_MAY_IMPORT = {
    "centre.centre_errors": (),
    "centre.moments": (),
    "centre.legible": (),
    "centre.unreadable": (),
    "centre.changes": (),
    "centre.exit_status": ("centre.centre_errors",),
    "centre.projection": (),
    "centre.configuration": ("centre.centre_errors", "centre.legible"),
    "centre.store": ("centre.centre_errors", "centre.moments", "centre.unreadable", "centre.projection"),
    "centre.orders": (*CENTRE_GROUND, "centre.store"),
    "centre.link": (*CENTRE_GROUND, "centre.configuration", "centre.store"),
    "centre.process": (*CENTRE_GROUND, "centre.configuration", "centre.store"),
    "centre.ingest": (
        *CENTRE_GROUND,
        "centre.store",
        "centre.projection",
        "centre.link.broker_link",
        "centre.link.kiosk_requests",
        "centre.link.received",
    ),
    "centre.kiosk_retirement": (*CENTRE_GROUND, "centre.store"),
    "centre.upkeep": (*CENTRE_GROUND, "centre.store", "centre.orders", "centre.ingest.old_documents"),
    "centre.site_work": (
        *CENTRE_GROUND,
        "centre.configuration",
        "centre.store",
        "centre.orders",
        "centre.link",
        "centre.ingest",
        "centre.process.stopping",
        "centre.upkeep",
    ),
    "centre.web": (
        *CENTRE_GROUND,
        "centre.configuration.centre_settings",
        "centre.configuration.settings_values",
        "centre.store",
        "centre.orders",
        "centre.ingest.kiosk_views",
        "centre.kiosk_retirement",
        "centre.link.broker_link",
        "centre.link.kiosk_requests",
    ),
}
"""The same for the centre. What the web needs of the running centre is handed in; of links it knows the errors."""

CENTRE_TOP = {
    "centre",
    "centre.__main__",
    "centre.command_parser",
    "centre.command_line",
    "centre.command_runs",
    "centre.commands",
    "centre.composition",
}
"""The rooms of the centre that may import everything."""

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

CENTRE_EDGES = {
    "alembic": {"centre/store/migration.py", "centre/store/migrations/"},
    "argon2": {"centre/web/passwords.py"},
    "fastapi": {"centre/web/"},
    "paho": {"centre/link/paho_connection.py", "centre/link/loop_paho.py"},
    "jinja2": {"centre/web/board/page_rendering.py"},
    "markupsafe": {"centre/web/board/"},
    "prometheus_client": {"centre/web/"},
    "reportlab": {"centre/web/board/order_barcode.py"},
    "sse_starlette": {"centre/web/board/live_updates.py"},
    "sqlalchemy": {"centre/store/", "centre/ingest/transaction.py"},  # there for what the database refuses to store
    "starlette": {"centre/web/"},
    "uvicorn": {"centre/process/web_server.py", "centre/process/http_patience.py"},
}


def sources(program: str = "agent") -> list[Path]:
    return sorted((ROOT / program).rglob("*.py"))


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


@pytest.mark.parametrize("path", sources("centre"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_of_the_centre_point_down(path: Path) -> None:
    module = module_of(path)
    room = next((room for room in CENTRE_MAY_IMPORT if is_within(module, room)), None)
    if room is None:
        assert module in CENTRE_TOP or ".".join(module.split(".")[:2]) in CENTRE_TOP, f"{module} is in no room"
        return
    allowed = (room, *CENTRE_MAY_IMPORT[room])
    wrong = [
        name
        for name in imports_of(path)
        if name.split(".")[0] == "centre"
        and not any(name == place or (place != "centre" and is_within(name, place)) for place in allowed)
    ]
    assert not wrong, f"{module} must not import {wrong}"


def test_the_centre_knows_of_the_agent_its_contract_alone() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources("centre")
        for name in imports_of(path)
        if name.split(".")[0] == "agent" and not is_within(name, "agent.contract")
    }
    assert not wrong


def test_the_agent_does_not_know_the_centre() -> None:
    wrong = {path for path in sources() for name in imports_of(path) if name.split(".")[0] == "centre"}
    assert not wrong


@pytest.mark.parametrize("library", CENTRE_EDGES)
def test_each_library_of_the_centre_stays_at_its_edge(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in sources("centre")
        if any(is_within(name, library) for name in imports_of(path)) and not only_names_connections(path, library)
    }
    assert users, f"{library} is a dependency that nothing uses"
    outside = {user for user in users if not any(user.startswith(place) for place in CENTRE_EDGES[library])}
    assert not outside, f"{library} is imported beyond its edge: {outside}"


def only_names_connections(path: Path, library: str) -> bool:
    """Whether a module takes of SQLAlchemy the type of connections alone: to hand one on to `centre.store`."""
    taken = {
        name.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy"
        for name in node.names
    }
    return library == "sqlalchemy" and taken == {"Connection"}


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

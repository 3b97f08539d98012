"""tests/ mirrors agent/: the tests of agent/x/y.py are in tests/x/test_y.py, or it is listed here where they are."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TYPES_ONLY = {
    "contract/blocked.py",
    "contract/event_values.py",
    "contract/events.py",
    "contract/kiosk_health.py",
    "contract/order_events.py",
    "contract/reasons.py",
    "contract/requests.py",
    "contract/scan_events.py",
    "contract/station_view.py",
    "contract/values.py",
    "contract/verdicts.py",
    "scan.py",
    "uplink/packets.py",
    "workflow/lookups.py",
    "workflow/scan_classes.py",
    "workflow/transient_state.py",
}
"""These define types and constants; there is nothing to run. mypy checks them, and so does whoever uses them."""

TESTED_BY = {
    "__main__.py": "system/test_lifecycle.py",  # python -m agent, as the harness starts it
    "arguments.py": "test_cli.py",
    "catalogue/blocked_units.py": "catalogue/test_catalogue.py",
    "catalogue/kept_orders.py": "catalogue/test_catalogue.py",
    "commands/demo.py": "demo/test_demo.py",
    "contract/box_sizes.py": "contract/test_messages.py",
    "contract/operators.py": "contract/test_messages.py",
    "contract/refused.py": "contract/test_parsing.py",
    "contract/schemas.py": "contract/test_messages.py",
    "contract/signals.py": "drivers/indicators/test_sequencer.py",
    "demo/bench_worker.py": "demo/test_working_site.py",
    "demo/fraud_desk.py": "demo/test_centre_process.py",
    "demo/kiosk.py": "demo/test_demo.py",
    "demo/script.py": "demo/test_play.py",
    "errors.py": "test_exit_codes.py",
    "uplink/client.py": "uplink/test_uplink.py",
    "uplink/event_publisher.py": "uplink/test_uplink.py",
    "uplink/event_source.py": "uplink/test_delivery.py",
    "uplink/session.py": "uplink/test_uplink.py",
    "uplink/uplink_health.py": "uplink/test_uplink.py",
    "uplink/uplink_state.py": "uplink/test_uplink.py",
    "workflow/context.py": "workflow/test_step.py",
    "workflow/fold.py": "workflow/test_replay.py",
    "workflow/fold_boxes.py": "workflow/test_replay.py",
    "workflow/fold_orders.py": "workflow/test_replay.py",
    "workflow/order_codes.py": "workflow/test_classify.py",
    "workflow/reply.py": "workflow/test_step.py",
    "workflow/state.py": "workflow/test_properties.py",
    "workflow/state_changes.py": "workflow/test_replay.py",
}
"""Modules that are tested together with others, since they are parts of one thing."""

OTHER_TEST_FILES = {
    "catalogue/test_cache_files.py",
    "catalogue/test_updates.py",
    "contract/test_standalone.py",
    "daemon/test_older_journals.py",
    "daemon/test_power_cut.py",
    "demo/test_first_steps.py",
    "journal/test_crash.py",
    "journal/test_versions.py",
    "uplink/test_delivery.py",
    "uplink/test_mosquitto.py",
    "workflow/test_bounce.py",
    "workflow/test_identity.py",
    "workflow/test_lists.py",
    "workflow/test_phases.py",
    "workflow/test_properties.py",
    "workflow/test_reasons.py",
}
"""Test files about several modules of a room, or about one side of a module."""


def modules() -> set[str]:
    agent = ROOT / "agent"
    return {str(path.relative_to(agent)) for path in agent.rglob("*.py") if path.name != "__init__.py"}


def place_of(module: str) -> Path:
    place = ROOT / "tests" / module
    return place.with_name(f"test_{place.name}")


def is_protocol(cls: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in cls.bases)


def test_each_module_has_its_test_file_or_is_listed() -> None:
    missing = {module for module in modules() if not place_of(module).exists()}
    assert missing == TYPES_ONLY | TESTED_BY.keys()


@pytest.mark.parametrize("module", sorted(TYPES_ONLY))
def test_module_of_types_has_no_code_to_test(module: str) -> None:
    tree = ast.parse((ROOT / "agent" / module).read_text("utf-8"))
    tree.body = [node for node in tree.body if not (isinstance(node, ast.ClassDef) and is_protocol(node))]
    assert not [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("module", sorted(TESTED_BY))
def test_listed_test_file_exists(module: str) -> None:
    assert (ROOT / "tests" / TESTED_BY[module]).exists()


def test_any_other_test_file_is_listed() -> None:
    rooms = {path.name for path in (ROOT / "agent").iterdir() if path.is_dir()}
    found = {path.relative_to(ROOT / "tests") for room in rooms for path in (ROOT / "tests" / room).rglob("test_*.py")}
    tested = {place_of(module).relative_to(ROOT / "tests") for module in modules()}
    assert {str(path) for path in found - tested} == OTHER_TEST_FILES


# -- the centre --------------------------------------------------------------------------------------------------

CENTRE_OTHER_TEST_FILES = {
    "configuration/test_centre_toml.py",
    "ingest/test_any_order.py",
    "ingest/test_delivery.py",
    "ingest/test_hostile.py",
    "link/test_living_broker.py",
    "orders/test_endings.py",
    "orders/test_revisions_never_go_back.py",
    "store/test_event_plans.py",
    "web/board/test_static_files.py",
    "web/test_events.py",
    "web/test_imports.py",
    "web/test_kiosks.py",
    "web/test_openapi.py",
    "web/test_orders.py",
    "web/test_over_http.py",
    "web/test_problems.py",
    "web/test_reference_lists.py",
}
"""Test files about several modules of a room, or about one side of a module."""


def centre_rooms() -> set[str]:
    """The folders of centre/ that have modules, from there."""
    centre = ROOT / "centre"
    return {str(path.parent.relative_to(centre)) for path in centre.rglob("*.py") if path.name != "__init__.py"}


def test_each_room_of_the_centre_has_its_tests() -> None:
    """What each room's tests must cover is in scripts/coverage_floors.py: many of its modules are tested together."""
    untested = {room for room in centre_rooms() if not list((ROOT / "tests" / "centre" / room).glob("test_*.py"))}
    assert untested == {"store/migrations", "store/migrations/versions", "web/api"}


def test_any_other_test_file_of_the_centre_is_listed() -> None:
    tests = ROOT / "tests" / "centre"
    found = {str(path.relative_to(tests)) for path in tests.rglob("test_*.py")}
    modules = {str(path.relative_to(ROOT / "centre")) for path in (ROOT / "centre").rglob("*.py")}
    mirrors = {str(Path(module).with_name(f"test_{Path(module).name}")) for module in modules}
    assert found - mirrors == CENTRE_OTHER_TEST_FILES

"""Every command prints any text on any locale (`commands.md#locale`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.waiting import wait_for
from harness.warehouse import OPERATORS, line
from harness.world import OK, World, world_of

LOCALES: dict[str, dict[str, str]] = {
    "POSIX": {"LC_ALL": "POSIX"},
    "POSIX without Python's UTF-8 mode": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"},
    "Latin-1, strict": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "iso-8859-1:strict"},
}
ORDER = "Größe-李-1"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A kiosk at work with names in several scripts."""
    with world_of(tmp_path_factory.mktemp("world")) as found:
        items = [{**one, "name": f"Jürgen Ångström 李 {one['operator']}"} for one in OPERATORS]
        found.centre.operators(99, items)
        unit = found.supply.imei()
        found.order(line("1", "Hülle-手机", 2, units=[[unit]]), order=ORDER)
        station = found.fresh()
        assert station.scan(ORDER) == OK
        assert station.scan(unit) == OK
        station.scan("Ünknown")
        cached = found.kiosk.state_dir / "cache" / "reference.db"
        wait_for(lambda: cached.exists() and "Jürgen" in cached.read_text("utf-8"), "the operators in the cache")
        found.delivered()
        yield found


@pytest.fixture(params=LOCALES)
def kiosk(world: World, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(world.kiosk, "environment", {**world.kiosk.environment, **LOCALES[request.param]})
    return world


COMMANDS = {
    "status": 0,
    "status --json": 0,
    "journal tail -n 50": 0,
    "journal export": 0,
    "journal verify": 0,
    "check": 0,
    "check --broker": 0,
    "sheet SHEET --new-badges 2": 0,
    "retire": 75,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_names_in_any_script(kiosk: World, command: str, tmp_path: Path) -> None:
    """Rule: commands.md#locale."""
    arguments = [str(tmp_path / "Blätter.pdf") if one == "SHEET" else one for one in command.split()]
    done = kiosk.kiosk.run(*arguments)
    assert done.returncode == COMMANDS[command], done.stderr
    assert b"Traceback" not in done.stderr
    assert b"UnicodeEncodeError" not in done.stderr


def test_names_that_the_locale_lacks_are_escaped(kiosk: World) -> None:
    """Rule: commands.md#locale."""
    shown = kiosk.kiosk.run("journal", "tail", "-n", "50").stdout
    assert ORDER.encode() in shown or b"\\u674e" in shown


def test_exported_documents_are_utf_8_on_every_locale(kiosk: World) -> None:
    """Rule: commands.md#journal."""
    assert ORDER.encode() in kiosk.kiosk.run("journal", "export").stdout


def test_a_path_that_the_locale_lacks_is_told(kiosk: World) -> None:
    """Rule: commands.md#locale."""
    done = kiosk.kiosk.run("journal", "verify", "--state-dir", "/no/such/Größe 李")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr

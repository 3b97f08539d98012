"""The database as a whole, by the command line."""

from pathlib import Path

import pytest
from sqlalchemy import text

from centre.command_line import main
from centre.store.database import Database
from centre.store.migration import newest_schema
from tests.centre.commands.conftest import Command


def test_upgrade_and_check(centre: Command) -> None:
    newest = newest_schema()
    assert centre("database", "upgrade").out == f"upgraded from empty to schema {newest}\n"
    assert centre("database", "upgrade").out == f"the schema {newest} is the newest: nothing to do\n"
    assert centre("database", "check") == (0, f"ok: schema {newest}\n", "")


def test_a_newer_database_is_refused_by_every_command(centre: Command, database_url: str) -> None:
    centre("database", "upgrade")
    database = Database(database_url)
    with database.writing() as connection:
        connection.execute(text("UPDATE centre_schema SET version_num = '9999'"))
    database.dispose()
    for command in (["database", "check"], ["database", "upgrade"], ["user", "list"], ["status"]):
        done = centre(*command)
        assert done.code == 3
        assert "newer than this program's" in done.err


def test_backup(centre: Command, tmp_path: Path) -> None:
    centre("database", "upgrade")
    done = centre("backup", tmp_path / "copy")
    assert done.code == 0
    assert done.out == f"wrote {tmp_path}/copy, {(tmp_path / 'copy').stat().st_size:,} bytes\n"
    assert centre("backup", tmp_path / "copy").err == f"kiosk-centre: {tmp_path}/copy exists: name a new file\n"


def test_a_command_in_the_wrong_folder_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setattr("centre.command_runs.CONFIG_FILE", tmp_path / "none.toml")
    for command in (["token", "add", "a", "--scope", "read"], ["status"], ["database", "check"], ["backup", "b"]):
        assert main(command) == 1
        assert "there is no database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "centre.toml"
    file.write_text('[database]\nurl = "postgresql+psycopg://nobody@127.0.0.1:1/none"\n')
    assert main(["user", "list", "--config", str(file)]) == 69
    assert capsys.readouterr().err.startswith("kiosk-centre: the database cannot be reached: ")

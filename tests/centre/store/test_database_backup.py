"""Copies of a database."""

import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from centre.centre_errors import Refused
from centre.store.database import Database
from centre.store.database_backup import back_up
from centre.store.schema import counter


def fill(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(counter.insert().values(name="a", value=7))


def test_a_copy_has_everything_and_is_private(database: Database, tmp_path: Path) -> None:
    fill(database)
    copy = tmp_path / "copy"
    back_up(database, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "copy"))] == ["copy"]
    if database.is_sqlite:
        restored = Database(f"sqlite:///{copy}")
        with restored.reading() as connection:
            assert connection.execute(select(counter.c.value)).scalar_one() == 7
        restored.dispose()
    else:
        listed = subprocess.run(["pg_restore", "--list", copy], capture_output=True, text=True, check=True).stdout
        assert "TABLE DATA public counter" in listed


def test_a_copy_while_a_transaction_is_open_is_of_before(database: Database, tmp_path: Path) -> None:
    with database.writing() as connection:
        connection.execute(counter.insert().values(name="a", value=7))
        back_up(database, tmp_path / "copy")
    if database.is_sqlite:
        restored = Database(f"sqlite:///{tmp_path}/copy")
        with restored.reading() as connection:
            assert connection.execute(select(counter.c.value)).all() == []
        restored.dispose()


def test_an_existing_file_is_left_as_it_is(database: Database, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(Refused, match="exists: name a new file"):
        back_up(database, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"


def test_a_folder_that_is_not_there(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot write .*/none/copy: No such file"):
        back_up(database, tmp_path / "none" / "copy")


def test_without_pg_dump(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    database = Database(postgres_url)
    with pytest.raises(Refused, match="pg_dump is not installed"):
        back_up(database, tmp_path / "copy")
    database.dispose()


def test_what_pg_dump_says_is_passed_on(tmp_path: Path) -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(Refused, match=r"pg_dump failed: .*refused"):
        back_up(database, tmp_path / "copy")
    database.dispose()

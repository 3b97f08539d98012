"""Opening the database that the settings name."""

from pathlib import Path

import pytest

from centre.centre_errors import Refused
from centre.configuration.settings_file import load
from centre.process.database_opening import connected_database, open_for_command, sqlite_file


def test_an_sqlite_file_is_private(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text('[centre]\ndata_dir = "data"\n')
    settings = load(tmp_path / "centre.toml", environ={})
    assert sqlite_file(settings) == tmp_path / "data" / "centre.sqlite"
    with pytest.raises(Refused, match="there is no database"), connected_database(settings, may_create=False):
        pass
    with open_for_command(settings, may_create=True) as database:
        database.ping()
    assert (tmp_path / "data" / "centre.sqlite").stat().st_mode & 0o777 == 0o600


def test_the_password_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "centre.toml").write_text(
        '[database]\nurl = "postgresql+psycopg://me@127.0.0.1:1/c"\npassword_file = "password"\n'
    )
    settings = load(tmp_path / "centre.toml", environ={})
    assert sqlite_file(settings) is None
    with connected_database(settings, may_create=True) as database:
        assert database.password == "hunter2"
    (tmp_path / "password").unlink()
    with (
        pytest.raises(Refused, match="password of the database cannot be read"),
        connected_database(settings, may_create=True),
    ):
        pass

"""An SQLite file is copied before its schema is upgraded."""

from pathlib import Path

import pytest

from centre.configuration.centre_settings import CentreSettings
from centre.configuration.settings_file import load
from centre.process import schema_upgrade
from centre.process.schema_upgrade import SchemaUpgrade, upgrade_with_copy
from centre.store.database import Database
from centre.store.migration import newest_schema


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> CentreSettings:
    (tmp_path / "centre.toml").write_text(f'[database]\nurl = "{database_url}"\n')
    return load(tmp_path / "centre.toml", environ={})


def test_a_new_database_needs_no_copy(settings: CentreSettings) -> None:
    database = Database(settings.database_url)
    assert upgrade_with_copy(database, settings) == SchemaUpgrade(None, newest_schema(), None)
    assert upgrade_with_copy(database, settings) == SchemaUpgrade(newest_schema(), newest_schema(), None)
    database.dispose()


def test_an_older_sqlite_file_is_copied(settings: CentreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(settings.database_url)
    upgrade_with_copy(database, settings)
    monkeypatch.setattr(schema_upgrade, "schema_of", lambda _database: "0000")
    done = upgrade_with_copy(database, settings)
    if database.is_sqlite:
        assert done.copy is not None
        assert done.copy.name == f"centre.sqlite.before-{newest_schema()}"
        assert done.copy.exists()
    else:
        assert done.copy is None
    database.dispose()

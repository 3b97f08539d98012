"""The models of the tables: defaults, ranges, types."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from centre.configuration.settings_file import LISTS, TABLES, defaults, expected_by
from tests.centre.configuration.settings_samples import problems_of, settings_of

NUMBERS = [
    ("[centre]", "kiosk_offline_s", 1, 86400),
    ("[centre]", "events_days", 0, 36500),
    ("[[broker]]", "port", 1, 65535),
    ("[[broker]]", "keepalive_s", 1, 3600),
    ("[web]", "port", 0, 65535),
    ("[rules]", "resale_days", 0, 36500),
]


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(defaults(environ={}).general, "events_days", 1)  # noqa: B010 - mypy knows that it is frozen


@pytest.mark.parametrize(("table", "key", "low", "high"), NUMBERS)
def test_numbers_have_ranges_and_are_never_coerced(tmp_path: Path, table: str, key: str, low: int, high: int) -> None:
    start = '[[broker]]\nhost = "b"\n' if table == "[[broker]]" else f"{table}\n"
    for good in (low, high):
        settings_of(tmp_path, f"{start}{key} = {good}")
    for bad in (str(low - 1), str(high + 1), '"7"', "7.0", "true", "[7]"):
        (line,) = problems_of(tmp_path, f"{start}{key} = {bad}")
        assert f".{key}: found " in line or f"[0].{key}: found " in line
        assert line.endswith(f"from {low} to {high}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[centre]\nsites = []", "centre.sites: found an empty list, expected a list of at least one site"),
        ('[centre]\nsites = ["a", "a"]', "centre.sites: found a list, expected a list of at least one site"),
        ('[centre]\nsites = ["a/b"]', 'centre.sites[0]: found "a/b", expected a list of at least one site'),
        ('[web]\nbind = "localhost"', 'web.bind: found "localhost", expected an IP address of this machine'),
        ('[web]\ntimezone = "Mars/Olympus"', 'web.timezone: found "Mars/Olympus", expected the name of a time zone'),
        ('[rules]\nresale = "maybe"', 'rules.resale: found "maybe", expected "allow", "note" or "hold"'),
        ('[rules]\nlate_scan = "allow"', 'rules.late_scan: found "allow", expected "note" or "hold"'),
        ('[database]\nurl = "mysql://h/d"', 'database.url: found "mysql://h/d", expected "sqlite:///PATH" or'),
        ('[database]\nurl = "sqlite://"', 'database.url: found "sqlite://", expected "sqlite:///PATH" or'),
        ('[[broker]]\nhost = "h:1883"', 'broker[0].host: found "h:1883", expected a host name or address'),
        ("[[broker]]\nport = 1", "broker[0].host: found nothing, expected a host name or address"),
    ],
)
def test_a_value_that_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (line,) = problems_of(tmp_path, text)
    assert line.startswith(problem)


def test_a_broker_is_named_by_host_and_port(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, '[[broker]]\nhost = "[::1]"\n[[broker]]\nhost = "b.example"\nport = 1')
    assert [broker.name for broker in settings.brokers] == ["[::1]:8883", "b.example:1"]


def test_a_broker_serves_all_sites_or_those_it_names(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, '[centre]\nsites = ["a", "b"]\n[[broker]]\nhost = "x"\n[[broker]]\nhost = "y"\nsites = ["b"]'
    )
    assert [settings.sites_of(broker) for broker in settings.brokers] == [("a", "b"), ("b",)]


def test_the_database_is_in_the_data_folder_by_default(tmp_path: Path) -> None:
    assert settings_of(tmp_path, '[centre]\ndata_dir = "d"').database_url == f"sqlite:///{tmp_path}/d/centre.sqlite"


def test_a_relative_sqlite_file_starts_at_the_configuration(tmp_path: Path) -> None:
    assert settings_of(tmp_path, '[database]\nurl = "sqlite:///x.db"').database_url == f"sqlite:///{tmp_path}/x.db"
    assert settings_of(tmp_path, '[database]\nurl = "sqlite:////v/x.db"').database_url == "sqlite:////v/x.db"


def test_a_password_in_the_database_url_is_never_shown(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, '[database]\nurl = "postgresql+psycopg://me:hunter2@db/centre"')
    assert "hunter2" in settings.database_url
    assert "hunter2" not in repr(settings)
    assert settings.database.shown_url == "postgresql+psycopg://me:…@db/centre"
    assert "hunter2" not in problems_of(tmp_path, '[database]\nurl = "postgres://me:hunter2@db/centre"')[0]


def test_the_time_zone(tmp_path: Path) -> None:
    assert defaults(environ={}).web.zone is UTC
    assert settings_of(tmp_path, '[web]\ntimezone = "Europe/Amsterdam"').web.zone == ZoneInfo("Europe/Amsterdam")


def test_every_field_says_what_it_expects() -> None:
    for model in (*TABLES.values(), *LISTS.values()):
        for field in model.model_fields.values():
            assert expected_by(field)

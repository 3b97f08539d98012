"""Reading the file: every mistake is told at once, and a run without a file has sensible settings."""

import re
from pathlib import Path

import pytest

from centre.centre_errors import SettingsRefused
from centre.configuration.settings_file import LOCAL_BROKER, defaults, load
from tests.centre.configuration.settings_samples import problems_of, settings_of


def test_without_a_file() -> None:
    settings = defaults(environ={})
    assert settings.general.sites == ("main",)
    assert settings.general.data_dir == Path.cwd() / "centre-data"
    assert settings.brokers == (LOCAL_BROKER,)
    assert (LOCAL_BROKER.name, LOCAL_BROKER.tls) == ("127.0.0.1:1883", False)
    assert (settings.web.bind, settings.web.port) == ("127.0.0.1", 8080)
    assert defaults(environ={"STATE_DIRECTORY": "/s:/t"}).general.data_dir == Path("/s")


def test_an_empty_file_is_like_none(tmp_path: Path) -> None:
    assert settings_of(tmp_path, "") == defaults(environ={})
    assert settings_of(tmp_path, "\ufeff") == defaults(environ={})


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    assert problems_of(
        tmp_path,
        """
colour = "red"
[centre]
site = "a"
[web]
port = 99999
bind = "0.0.0.0"
[[broker]]
host = "b"
password_file = "/none"
[[webhook]]
url = "http://oms.example/"
events = ["order.eaten"]
secret_file = "/none"
""",
    ) == [
        "colour: unknown key, expected one of broker, centre, database, rules, web, webhook",
        'centre.site: unknown key, did you mean "sites"?',
        "web.port: found 99999, expected a port from 0 to 65535",
        'webhook[0].events[0]: found "order.eaten", expected a list of "order.opened", "order.packed", '
        '"order.reopened", "order.cancelled", "box.confirmed", "conflict.opened", "conflict.closed", '
        '"kiosk.offline", "kiosk.online", each once at most',
        'broker[0].password_file: found "/none", expected a readable file (No such file or directory)',
        "broker[0].username: found nothing, expected the user name that goes with password_file",
        'web.bind: found "0.0.0.0", expected a loopback address unless there are tls_cert and tls_key, or '
        "behind_proxy = true",
        'webhook[0].secret_file: found "/none", expected a readable file (No such file or directory)',
        "webhook[0].url: found http, expected https, or insecure = true",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[centre", r"found an error \(.*\), expected TOML"),
        (b"\n\xff", "found the byte 0xff in line 2, expected UTF-8 text"),
        (b"a = " + b"[" * 5000, "found tables or lists nested too deep, expected TOML"),
        (b"#" * (1 << 20) + b"\n", "found a larger file, expected at most 1048576 bytes"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "centre.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsRefused, match=re.escape(str(file)) + ": " + problem):
        load(file, environ={})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsRefused, match=r"found no file to read \(No such file or directory\), expected a configuration"
    ):
        load(tmp_path / "none", environ={})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("centre = 1", "centre: found 1, expected a table"),
        ('[broker]\nhost = "b"', "broker: found a table, expected [[broker]] tables"),
        ("broker = [1]", "broker[0]: found 1, expected a table"),
    ],
)
def test_a_value_in_the_place_of_a_table(tmp_path: Path, text: str, problem: str) -> None:
    assert problems_of(tmp_path, text) == [problem]

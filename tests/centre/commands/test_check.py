"""The configuration, tried out."""

from pathlib import Path

import pytest

from centre.command_line import main
from harness.broker import Broker
from tests.centre.commands.conftest import Command

pytestmark = pytest.mark.usefixtures("logs_as_before")


def test_what_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Broker(tmp_path / "broker") as broker:
        file = tmp_path / "centre.toml"
        file.write_text(f'[[broker]]\nhost = "127.0.0.1"\nport = {broker.port}\ntls = false\n')
        assert main(["check", "--config", str(file), "--broker", "--database"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", "configuration:"], ["ok", "database:"], ["ok", "broker"]]
    assert lines[2].endswith(f"broker 127.0.0.1:{broker.port}: connected, subscribed for main")


def test_the_database(centre: Command) -> None:
    assert "the first start" in centre("check", "--database").out
    centre("database", "upgrade")
    assert ": schema 0001" in centre("check", "--database").out


def test_secrets_that_everybody_can_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "password").chmod(0o644)
    file = tmp_path / "centre.toml"
    file.write_text(
        '[[broker]]\nhost = "b.example"\ntls = false\nusername = "u"\npassword_file = "password"\n'
        "[web]\npublic_read = true\n"
    )
    assert main(["check", "--config", str(file)]) == 1
    out = capsys.readouterr().out
    assert "failed  broker b.example:8883 password_file: every user of this machine can use" in out
    assert "note    broker b.example:8883: tls = false" in out
    assert "note    web.public_read = true" in out
    assert "hunter2" not in out


def test_a_database_that_is_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "centre.toml"
    file.write_text('[database]\nurl = "postgresql+psycopg://nobody:hunter2@127.0.0.1:1/none"\n')
    assert main(["check", "--config", str(file), "--database"]) == 1
    out = capsys.readouterr().out
    assert "failed  database: postgresql+psycopg://nobody:…@127.0.0.1:1/none: " in out
    assert "hunter2" not in out

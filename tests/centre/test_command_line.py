"""The centre's command line: its commands, its errors in a line, and its exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from centre import command_runs
from centre.centre_errors import DatabaseDown, DatabaseRefused, Refused
from centre.command_line import main
from centre.command_parser import command_parser

COMMANDS = ("run", "check", "status", "import", "export", "user", "token", "database", "backup")


def usage_error(argv: list[str]) -> int | str | None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    return left.value.code


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert tuple(line.split()[0] for line in lines if line.startswith("    ") and line[4] != " ") == COMMANDS


@pytest.mark.parametrize("argv", [[], ["jump"], ["run", "now"], ["user"], ["token", "add", "x"], ["export", "pets"]])
def test_wrong_usage_is_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(argv) == 2
    assert capsys.readouterr().err.startswith("usage: kiosk-centre")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (Refused("no such order"), 1, "kiosk-centre: no such order\n"),
        (DatabaseRefused("newer"), 3, "kiosk-centre: newer\n"),
        (DatabaseDown("gone"), 69, "kiosk-centre: the database cannot be reached: gone\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_that_people_cause_end_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, text: str
) -> None:
    def fail(_arguments: object) -> int:
        raise error

    monkeypatch.setattr(command_runs, "status_command", fail)
    assert main(["status"]) == code
    assert capsys.readouterr() == ("", text)


def test_a_refused_configuration_is_told_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "centre.toml"
    file.write_text("[web]\nport = 1.5\ncolour = 1\n")
    assert main(["status", "--config", str(file)]) == 1
    assert capsys.readouterr().err == (
        "kiosk-centre: the configuration is refused:\n"
        f"  {file}: web.port: found 1.5, expected a port from 0 to 65535\n"
        f"  {file}: web.colour: unknown key, expected one of {', '.join(sorted(web_keys()))}\n"
    )


def web_keys() -> list[str]:
    from centre.configuration.centre_settings import WebSettings

    return list(WebSettings.model_fields)


def test_a_configuration_that_is_named_must_be_there(tmp_path: Path) -> None:
    assert main(["status", "--config", str(tmp_path / "none.toml")]) == 1


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "centre", "check"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.getcwd()}, stdout=writing, stderr=subprocess.PIPE,
            check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_names_in_any_script_are_printed_on_any_locale(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text("")
    environment = {
        **os.environ,
        "PYTHONPATH": os.getcwd(),
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
    }

    def run(*argv: str, text: str = "") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "centre", *argv, "--config", "centre.toml"],
            cwd=tmp_path, env={**environment, "STATE_DIRECTORY": str(tmp_path)}, input=text.encode(),
            capture_output=True, check=False,
        )  # fmt: skip

    assert run("user", "add", "Zoë 東", "--role", "viewer", text="contraseña-東京\n").returncode == 0
    done = run("user", "list")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"Zo\xeb \u6771" in done.stdout


def test_the_parser_names_the_program() -> None:
    assert command_parser().prog == "kiosk-centre"

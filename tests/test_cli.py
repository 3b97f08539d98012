"""The command line: which command gets which arguments, and the exit codes (`commands.md#exit-codes`)."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent import __version__
from agent.cli import main
from agent.commands import check, retire, run, scanners, sheet, status
from agent.errors import ConfigError, JournalDamaged, JournalFault
from agent.exit_codes import ExitCode

CONFIG = """
[kiosk]
site = "a"
id = "b"
state_dir = "state"
[mqtt]
host = "h"
[[station]]
id = "1"
[[station.scanner]]
name = "left"
driver = "serial"
port = "/dev/ttyACM0"
"""

pytestmark = pytest.mark.usefixtures("logs_as_before")

Calls = list[tuple[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "agent.toml"
    file.write_text(CONFIG)
    return file


def record(monkeypatch: pytest.MonkeyPatch, module: object, name: str, code: int = 0) -> Calls:
    """Replace a command by a function that only records its calls."""
    calls: Calls = []

    def noted(*args: Any, **options: Any) -> int:
        calls.append((args, options))
        return code

    monkeypatch.setattr(module, name, noted)
    return calls


def fail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def failing(_path: Path) -> int:
        raise error

    monkeypatch.setattr(run, "run", failing)


def usage_error(argv: list[str]) -> int | str | None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    return left.value.code


# -- what is asked of which command ------------------------------------------------------------------------------


def test_run_has_the_default_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch, run, "run")
    assert main(["run"]) == 0
    assert calls == [((Path("/etc/kiosk-agent/agent.toml"),), {})]


@pytest.mark.parametrize(("before", "after"), [(None, "__all__"), ("one", "one")])
def test_run_looks_for_no_plugins_of_pydantic_unless_told(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    environ = {} if before is None else {"PYDANTIC_DISABLE_PLUGINS": before}
    monkeypatch.setattr(os, "environ", environ)
    record(monkeypatch, run, "run")
    assert main(["run"]) == 0
    assert environ == {"PYDANTIC_DISABLE_PLUGINS": after}


def test_run_hands_on_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch, run, "run", code=3)
    assert main(["run", "--config", "x.toml"]) == 3
    assert calls == [((Path("x.toml"),), {})]


@pytest.mark.parametrize(
    ("argv", "options"),
    [
        ([], {"hardware": False, "broker": False}),
        (["--hardware"], {"hardware": True, "broker": False}),
        (["--broker", "--hardware"], {"hardware": True, "broker": True}),
    ],
)
def test_check(monkeypatch: pytest.MonkeyPatch, argv: list[str], options: dict[str, bool]) -> None:
    calls = record(monkeypatch, check, "check")
    assert main(["check", "--config", "x.toml", *argv]) == 0
    assert calls == [((Path("x.toml"), sys.stdout), options)]


def test_scanners(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch, scanners, "scanners")
    assert main(["scanners"]) == 0
    assert calls == [((sys.stdout,), {})]


def test_sheet_needs_no_configuration(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    calls = record(monkeypatch, sheet, "sheet")
    assert main(["sheet", "out.pdf", "--config", str(file), "--new-badges", "4"]) == 0
    assert main(["sheet", "out.pdf", "--config", str(file.parent / "none")]) == 0
    assert main(["sheet", "out.pdf", "--state-dir", "d"]) == 0
    assert [(args[1], options["new_badges"]) for args, options in calls] == [
        (file.parent / "state", 4),
        (None, 0),
        (Path("d"), 0),
    ]


def test_retire(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch, retire, "retire")
    assert main(["retire", "--config", "x.toml"]) == 0
    assert calls == [((Path("x.toml"), sys.stdout), {})]


def test_status_finds_the_state_folder_in_the_configuration(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    calls = record(monkeypatch, status, "status")
    assert main(["status", "--config", str(file), "--json"]) == 0
    assert calls == [((file.parent / "state", sys.stdout), {"as_json": True})]


def test_status_works_though_the_rest_of_the_configuration_is_refused(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    file.write_text(CONFIG.replace("[mqtt]", '[mqtt]\nusername = "u"\npassword_file = "/not/for/everybody"'))
    calls = record(monkeypatch, status, "status")
    assert main(["status", "--config", str(file)]) == 0
    assert calls == [((file.parent / "state", sys.stdout), {"as_json": False})]


def test_status_without_a_state_folder_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(CONFIG.replace("state_dir", "stat_dir"))
    assert main(["status", "--config", str(file)]) == ExitCode.REFUSED
    assert 'kiosk.stat_dir: unknown key; did you mean "state_dir"?' in capsys.readouterr().err


def test_status_of_a_given_folder_needs_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch, status, "status")
    assert main(["status", "--state-dir", "/x"]) == 0
    assert calls == [((Path("/x"), sys.stdout), {"as_json": False})]


# -- exit codes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["jump"],
        ["run", "now"],
        ["run", "--config"],
        ["journal"],
        ["journal", "tail", "-n", "many"],
        ["journal", "tail", "-n", "-1"],
        ["journal", "tail", "-n", "٣"],
        ["journal", "tail", "-n", "9" * 5000],
        ["sheet", "--new-badges", "1001", "sheet.pdf"],
        ["sheet", "--new-badges", "9" * 30, "sheet.pdf"],
    ],
)
def test_wrong_usage_is_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(argv) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("usage: kiosk-agent")


COMMANDS = ("run", "check", "demo", "scanners", "sheet", "status", "journal", "retire")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "usage: kiosk-agent [-h] [--version] COMMAND ..."
    assert tuple(line.split()[0] for line in lines if line.startswith("    ") and line[4] != " ") == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_one_command_is_no_error(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: kiosk-agent {name} [-h]")


def test_what_is_no_command_is_told_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(["rum"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "'rum'" in told
    # Versions of argparse quote and word this differently; the names are the same.
    assert [word for word in re.findall(r"[\w-]+", told.splitlines()[-1]) if word in COMMANDS] == [*COMMANDS]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(["--version"]) == 0
    assert capsys.readouterr().out == f"kiosk-agent {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (
            ConfigError(["a.b: expected 1, found 2", "c: unknown key"]),
            ExitCode.REFUSED,
            "kiosk-agent: the configuration is refused:\n  a.b: expected 1, found 2\n  c: unknown key\n",
        ),
        (
            JournalDamaged("/x/1", 7, "bad frame"),
            ExitCode.DAMAGED,
            "kiosk-agent: the journal is damaged and is left as it is: /x/1: at byte 7: bad frame\n",
        ),
        (JournalFault("another daemon runs"), ExitCode.REFUSED, "kiosk-agent: another daemon runs\n"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, ""),
    ],
)
def test_errors_that_people_cause_end_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: ExitCode, text: str
) -> None:
    fail(monkeypatch, error)
    assert main(["run"]) == code
    assert capsys.readouterr() == ("", text)


def test_a_refused_configuration_is_told_line_by_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(CONFIG.replace('site = "a"', 'sit = "a"'))
    assert main(["check", "--config", str(file)]) == ExitCode.REFUSED
    assert capsys.readouterr().err == (
        "kiosk-agent: the configuration is refused:\n"
        "  kiosk.site: expected 1 to 64 letters, digits, - and _, found nothing\n"
        '  kiosk.sit: unknown key; did you mean "site"?\n'
    )


def test_a_bug_does_not_end_as_a_refusal(
    monkeypatch: pytest.MonkeyPatch, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """systemd does not restart after 1, which would be Python's own exit code for an exception."""
    fail(monkeypatch, RuntimeError("nobody thought of it"))
    assert main(["run", "--config", str(file)]) == ExitCode.BUG
    assert "RuntimeError: nobody thought of it" in capsys.readouterr().err


# -- as a process ------------------------------------------------------------------------------------------------


def agent(*argv: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "agent", *argv], text=True, timeout=60, check=False, **options)


def test_a_reader_that_goes_away_is_no_traceback(file: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = agent("check", "--config", str(file), stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (ExitCode.BROKEN_PIPE, "")


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    # The measurement of coverage would load modules of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", script], text=True, timeout=60, check=True, capture_output=True, env=environment
    )
    return set(done.stdout.split())


def test_the_command_line_alone_loads_nothing_of_the_kiosk() -> None:
    loaded = modules_after("import agent.cli")
    assert not loaded & {"pydantic", "asyncio", "paho", "evdev", "serial", "gpiozero", "tinydb", "logging", "tomllib"}


def test_the_daemon_alone_loads_no_library_of_a_device_or_of_the_network() -> None:
    loaded = modules_after("import agent.daemon.root")
    assert not loaded & {"paho", "evdev", "serial", "gpiozero", "tinydb", "sqlite3", "agent.daemon.failure"}


def test_the_configuration_loads_no_driver_and_no_uplink() -> None:
    loaded = modules_after("import agent.config, agent.runtime.log, agent.runtime.clock, agent.runtime.systemd")
    assert not loaded & {"paho", "evdev", "serial", "gpiozero", "tinydb", "difflib", "ctypes.util"}
    assert not [name for name in loaded if name.startswith(("agent.drivers", "agent.uplink", "agent.workflow"))]


def test_closed_standard_streams_are_opened(file: Path) -> None:
    """Else a file of ours would get the descriptor of standard error, and be written to by whoever writes there."""
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    command = [sys.executable, "-m", "agent", "check", "--config", str(file)]
    assert subprocess.run([*closed, *command], check=False).returncode == ExitCode.OK

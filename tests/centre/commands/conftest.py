"""A configuration for commands: each test that takes `config` runs with SQLite and with PostgreSQL."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from centre.command_line import main

pytestmark = pytest.mark.usefixtures("logs_as_before")


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Path:
    """A configuration file with an empty database."""
    file = tmp_path / "centre.toml"
    file.write_text(f'[centre]\ndata_dir = "data"\n[database]\nurl = "{database_url}"\n')
    return file


@pytest.fixture
def centre(config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command with the configuration; `stdin` is what it reads."""

    def run(*argv: object, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main([*map(str, argv), "--config", str(config)])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run

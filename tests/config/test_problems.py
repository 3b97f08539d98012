"""The messages of a refused configuration: one line each, none with a secret (`settings.md#configuration-file`)."""

import typing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.problems import dotted
from tests.config.samples import KIOSK, SECRET, STATION, problems


@pytest.mark.parametrize(
    "lines",
    [
        f'password = "{SECRET}"',
        f'passwd = "{SECRET}"\nusername = 5',
        f'password_file = "{SECRET}"\nusername = "u"',
        f'ca_file = "{SECRET}"',
        f'host = "u:{SECRET}@broker"',
        f'hosts = ["u:{SECRET}@broker:1"]',
    ],
)
def test_load_errors_never_show_a_secret(file: Path, lines: str) -> None:
    text = "\n".join(problems(file, KIOSK + f"[mqtt]\n{lines}\n" + STATION))
    assert SECRET not in text


@given(parts=st.lists(st.integers(0, 9) | st.text(min_size=1), min_size=1))
def test_dotted_is_always_one_printable_line(parts: list[typing.Any]) -> None:
    assert dotted(tuple(parts)).isprintable()

"""Exports by the command line."""

import json
from pathlib import Path

import pytest

from centre.centre_errors import Refused
from centre.commands.exports import since_of
from tests.centre.commands.conftest import Command


@pytest.fixture
def orders(centre: Command, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order,sku,quantity\nSO-1,=P13,2\n")
    assert centre("import", "orders", file).code == 0


@pytest.mark.usefixtures("orders")
def test_formats(centre: Command) -> None:
    lines = centre("export", "orders").out.splitlines()
    assert lines[0].startswith("order,")
    assert ",'=P13," in lines[1]
    assert ",=P13," in centre("export", "orders", "--raw").out.splitlines()[1]
    (order,) = json.loads(centre("export", "orders", "--format", "json").out)
    assert json.loads(centre("export", "orders", "--format", "ndjson").out) == order
    assert order["order"] == "SO-1"


@pytest.mark.usefixtures("orders")
def test_what_is_older_is_left_out(centre: Command) -> None:
    assert json.loads(centre("export", "orders", "--format", "json", "--since", "2000-01-01").out)
    assert json.loads(centre("export", "orders", "--format", "json", "--since", "2999-01-01").out) == []
    done = centre("export", "units", "--since", "yesterday")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith('kiosk-centre: --since "yesterday": expected a day or a time')


@pytest.mark.parametrize("what", ["units", "boxes", "events"])
def test_an_empty_database_gives_an_empty_file(centre: Command, what: str) -> None:
    assert len(centre("export", what).out.splitlines()) == 1
    assert json.loads(centre("export", what, "--format", "json").out) == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-28", "2026-11-28T00:00:00.000Z"),
        ("2026-11-28T14:00:00+01:00", "2026-11-28T13:00:00.000Z"),
        ("2026-11-28T14:00:00.5Z", "2026-11-28T14:00:00.500Z"),
    ],
)
def test_times(text: str, moment: str) -> None:
    assert since_of(text) == moment


def test_what_is_no_time() -> None:
    with pytest.raises(Refused):
        since_of("0001-01-01T00:00:00+14:00")

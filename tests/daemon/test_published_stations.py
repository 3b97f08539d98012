"""The list of stations whose views were ever published (`commands.md#retire`)."""

from pathlib import Path

import pytest

from agent.daemon.published_stations import add_published_stations, published_stations


def test_a_station_stays_on_the_list(tmp_path: Path) -> None:
    path = tmp_path / "stations"
    assert published_stations(path) == []
    add_published_stations(path, ["south", "north"])
    add_published_stations(path, ["1"])
    assert published_stations(path) == ["1", "north", "south"]


def test_a_list_that_has_all_stations_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "stations"
    add_published_stations(path, ["1", "2"])
    inode = path.stat().st_ino
    add_published_stations(path, ["2"])
    assert path.stat().st_ino == inode


def test_lines_that_are_no_station_ids_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "stations"
    path.write_bytes(b"1\n\nstation/#\n../x\n\xff\n" + b"x" * 65 + b"\n2")
    assert published_stations(path) == ["1", "2"]


def test_a_disk_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    add_published_stations(tmp_path / "missing" / "stations", ["1"])
    assert "list of stations" in caplog.text

"""The client id of a data folder."""

import re
from pathlib import Path

import pytest

from centre.centre_errors import Refused
from centre.process.client_identity import client_id_of


def test_it_stays_and_is_another_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = client_id_of(tmp_path / "a")
    assert re.fullmatch(r"centre-[0-9a-f]{12}", first)
    assert client_id_of(tmp_path / "a") == first
    assert client_id_of(tmp_path / "b") != first


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "client-id").write_text("")
    assert client_id_of(tmp_path) == client_id_of(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be kept"):
        client_id_of(tmp_path / "none")

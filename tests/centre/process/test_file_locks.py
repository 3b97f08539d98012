"""The locks that keep a second centre out."""

import subprocess
import sys
from pathlib import Path

import pytest

from centre.centre_errors import CentreBusy, Refused
from centre.process.file_locks import locked, make_data_dir


def test_a_second_process_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    holder = (
        "import sys; from pathlib import Path; from centre.process.file_locks import locked\n"
        f"with locked(Path({str(tmp_path / 'lock')!r})): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(CentreBusy, match="another centre runs on"), locked(tmp_path / "lock"):
            pass
        process.kill()
    with locked(tmp_path / "lock"):
        pass


def test_the_data_folder_is_private(tmp_path: Path) -> None:
    make_data_dir(tmp_path / "a" / "b")
    make_data_dir(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=r"the data folder .*/file/x cannot be made: Not a directory"):
        make_data_dir(tmp_path / "file" / "x")
    with pytest.raises(Refused, match="cannot be written: Not a directory"), locked(tmp_path / "file" / "x"):
        pass

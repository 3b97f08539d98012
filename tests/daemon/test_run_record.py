"""How the last run ended, as the next run reads it (`mqtt.md#health`)."""

from pathlib import Path

import pytest

from agent.contract.kiosk_health import LastExit
from agent.daemon.run_record import LastRun, RunRecord


def test_first_run_follows_none(tmp_path: Path) -> None:
    assert RunRecord(tmp_path / "run.json", "boot-1").begin() == LastRun(cause=LastExit.NONE, restarts=0)


@pytest.mark.parametrize(("failed", "cause"), [(False, LastExit.STOPPED), (True, LastExit.FAILED)])
def test_run_that_ended_by_itself(tmp_path: Path, failed: bool, cause: LastExit) -> None:
    record = RunRecord(tmp_path / "run.json", "boot-1")
    record.begin()
    record.end(failed=failed)
    assert RunRecord(tmp_path / "run.json", "boot-1").begin() == LastRun(cause=cause, restarts=1)


@pytest.mark.parametrize(("boot_id", "cause"), [("boot-1", LastExit.KILLED), ("boot-2", LastExit.POWER)])
def test_run_that_was_ended(tmp_path: Path, boot_id: str, cause: LastExit) -> None:
    RunRecord(tmp_path / "run.json", "boot-1").begin()
    assert RunRecord(tmp_path / "run.json", boot_id).begin() == LastRun(cause=cause, restarts=1)


@pytest.mark.parametrize("content", ["", "[]", '{"starts": "many"}', '{"starts": 4, "boot_id": "b", "stopped": true}'])
def test_damaged_record_is_a_first_run(tmp_path: Path, content: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(content)
    assert RunRecord(file, "boot-1").begin() == LastRun(cause=LastExit.NONE, restarts=0)


def test_disk_that_cannot_be_written_is_no_matter(tmp_path: Path) -> None:
    record = RunRecord(tmp_path / "missing" / "run.json", "boot-1")
    assert record.begin() == LastRun(cause=LastExit.NONE, restarts=0)
    record.end(failed=False)

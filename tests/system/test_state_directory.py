"""Rights of the files in the state directory, and links that somebody has planted there."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.waiting import wait_for
from harness.world import World, world_of


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    with world_of(tmp_path, started=False) as found:
        yield found


def rights(state_dir: Path) -> dict[str, int]:
    """Return the rights of everything there is; a temporary file may be gone before it is looked at."""
    found = {}
    for path in [state_dir, *state_dir.rglob("*")]:
        with suppress(FileNotFoundError):
            found[str(path.relative_to(state_dir))] = stat.S_IMODE(path.lstat().st_mode)
    return found


@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077], ids=oct)
def test_rights_do_not_depend_on_the_umask(own: World, umask: int) -> None:
    """Rule: faults.md#state-directory."""
    state_dir = own.kiosk.state_dir
    state_dir.rmdir()
    before = os.umask(umask)
    try:
        own.kiosk.start()
    finally:
        os.umask(before)
    own.centre.wait_status("online")
    order, units = own.simple(1)
    assert own.opened(order).scan(units[0]).signal == "order_done"
    wait_for(lambda: (state_dir / "cache" / "reference.db").exists(), "the cache")
    found = rights(state_dir)
    folders = {".", "journal", "cache"}
    assert {found.pop(name) for name in folders} == {0o750}
    assert found.pop("status.sock") == 0o660
    assert found.pop("badge.key") == 0o600
    assert found
    assert set(found.values()) == {0o640}, found
    assert own.kiosk.stop() == 0


def test_nothing_is_written_through_a_link(own: World, tmp_path: Path) -> None:
    """Rule: faults.md#state-directory."""
    state_dir = own.kiosk.state_dir
    own.kiosk.start()
    own.centre.wait_status("online")
    assert own.kiosk.stop() == 0
    victims: list[Path] = []

    def planted(name: str) -> Path:
        victim = tmp_path / f"victim-{len(victims)}"
        victim.write_text("somebody else's")
        victim.chmod(0o600)
        victims.append(victim)
        path = state_dir / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(victim)
        return path

    for name in ("run.json", "run.json.tmp", "status.sock", "cache/reference.db", "cache/reference.db.tmp",
                 "cache/orders-00.db", "journal/snapshot.tmp", "journal/0000000003.seg.tmp"):  # fmt: skip
        planted(name)
    own.kiosk.start()
    own.centre.wait_status("online", after=1)
    order, units = own.simple(1)
    assert own.opened(order).scan(units[0]).signal == "order_done"
    assert own.kiosk.status()["stations"]
    assert own.kiosk.stop() == 0
    assert {victim.read_text() for victim in victims} == {"somebody else's"}
    assert {stat.S_IMODE(victim.stat().st_mode) for victim in victims} == {0o600}


@pytest.mark.parametrize("name", ["journal/0000000001.seg", "journal/snapshot", "journal"])
def test_a_journal_behind_a_link_is_a_fault(own: World, tmp_path: Path, name: str) -> None:
    """Rule: faults.md#state-directory."""
    own.kiosk.start()
    own.centre.wait_status("online")
    assert own.station.scan("X").signal == "reject"
    assert own.kiosk.stop() == 0
    path = own.kiosk.state_dir / name
    elsewhere = path.rename(tmp_path / "elsewhere")
    path.symlink_to(elsewhere)
    before = elsewhere.read_bytes() if elsewhere.is_file() else b""
    own.kiosk.start()
    assert own.station.indicator.next().signal == "fault"
    assert own.station.scan("X").signal == "fault"
    assert (elsewhere.read_bytes() if elsewhere.is_file() else b"") == before
    path.unlink()
    elsewhere.rename(path)
    wait_for(lambda: own.kiosk.status()["health"]["journal"]["fault"] is None, "the journal to be opened")
    assert own.station.scan("X").signal == "reject"
    assert own.kiosk.stop() == 0

"""Files of the state directory deleted, replaced and linked while the daemon runs, and before it starts."""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.world import OK, World, world_of
from tests.system.attack.attacking import attacked

SEED = 20261128
SHORT, LONG = 12, 200
"""Changes of files under one running daemon."""


def change_of(path: Path, chance: random.Random, victim: Path) -> None:
    """Do something to a file or folder that nobody should."""
    is_file = path.is_file() and not path.is_symlink()
    match chance.randrange(7):
        case 0:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        case 1 if is_file:
            path.write_bytes(chance.randbytes(200))
        case 2 if is_file:
            path.write_bytes(b"")
        case 3:
            _move_away(path)
            path.symlink_to(victim)
        case 4:
            _move_away(path)
            path.mkdir()
        case 5:
            _move_away(path)
            os.mkfifo(path)
        case _ if is_file:
            path.chmod(0)


def _move_away(path: Path) -> None:
    away = path.with_name(path.name + ".away")
    if away.is_dir() and not away.is_symlink():
        shutil.rmtree(away)
    away.unlink(missing_ok=True)
    path.rename(away)


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
def test_anything_but_the_journal_is_changed_under_the_daemon(world: World, tmp_path: Path, count: int) -> None:
    """Rules: faults.md#damaged-cache, faults.md#disk-fault."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    victim = tmp_path / "victim"
    victim.write_text("not ours")
    with attacked(world, f"{count} changes of files beside the journal"):
        for _ in range(count):
            world.simple(1)  # the cache has something to write
            found = [path for path in sorted(world.kiosk.state_dir.rglob("*")) if "journal" not in str(path)]
            if found:
                change_of(chance.choice(found), chance, victim)
    assert victim.read_text() == "not ours", "the daemon has written through a symbolic link"
    for path in world.kiosk.state_dir.rglob("*.away"):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def segments(world: World) -> list[Path]:
    return sorted((world.kiosk.state_dir / "journal").glob("*.seg"))


def copied(path: Path) -> None:
    """Replace a file by its copy, which has another inode."""
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    copy.replace(path)


def deleted(world: World) -> None:
    for path in segments(world):
        path.unlink()


def folder_deleted(world: World) -> None:
    shutil.rmtree(world.kiosk.state_dir / "journal")


def folder_moved(world: World) -> None:
    (world.kiosk.state_dir / "journal").rename(world.kiosk.state_dir / "away")


def linked(world: World) -> None:
    for path in segments(world):
        away = path.with_name("away")
        path.rename(away)
        path.symlink_to(away)


LOSSES = (folder_deleted, folder_moved, linked)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    with world_of(tmp_path, stations=("1", "2"), started=False) as found:
        yield found


@pytest.mark.parametrize("loss", [deleted, *(pytest.param(loss, marks=pytest.mark.soak) for loss in LOSSES)])
def test_no_success_without_the_journal(own: World, loss: Callable[[World], None]) -> None:
    """Rule: faults.md#disk-fault."""
    own.start()
    order, units = own.simple(8)
    station = own.opened(order)
    assert station.scan(units[0]) == OK
    loss(own)
    time.sleep(0.3)
    signals = [shown.signal for shown in station.indicator.left()]
    assert set(signals) <= {"fault"}
    for unit in units[1:]:
        station.scanners["left"].send(unit)
        assert station.indicator.next().signal == "fault"
        own.stations["2"].indicator.left()
    own.kiosk.stop()


def test_start_opens_nothing_through_a_link(own: World, tmp_path: Path) -> None:
    """A file of the state directory that is a link to another one: that one is not changed."""
    own.start()
    order, units = own.simple(2)
    assert own.opened(order).scan(units[0]) == OK
    assert own.kiosk.stop() == 0
    found = [path for path in own.kiosk.state_dir.rglob("*") if path.is_file() and "journal" not in str(path)]
    assert found
    victims = {}
    for number, path in enumerate(found):
        victim = tmp_path / f"victim-{number}"
        victim.write_bytes(path.read_bytes())
        victims[victim] = (victim.read_bytes(), victim.stat().st_mtime_ns)
        path.unlink()
        path.symlink_to(victim)
    own.start()
    assert own.kiosk.stop() == 0
    assert {one: (one.read_bytes(), one.stat().st_mtime_ns) for one in victims} == victims

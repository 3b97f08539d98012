"""A damaged journal and the real daemon: exit code 3 with no byte changed, or a clean start from a clean prefix.

tests/journal/test_damage.py damages every byte, sector and length of a small journal; this is a sample.
"""

import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.codes import command
from harness.waiting import wait_for
from harness.world import OK, World, world_of

UNITS = 40
SECTOR = 512


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path, list[bytes]]]:
    """A world whose daemon was killed after some work, a copy of its journal, and all events in it, as exported.

    The first part of the work is behind a snapshot, the rest after it.
    """
    with world_of(tmp_path_factory.mktemp("damaged"), started=False) as world:
        world.kiosk.start()
        world.centre.wait_status("online")
        order, units = world.simple(UNITS)
        station = world.opened(order)
        assert set(station.scan_all(*units[: UNITS // 2])) == {OK}
        assert station.scan_all(command("SAVE"), command("SAVE"))[1].signal == "saved"
        assert world.kiosk.stop() == 0
        world.kiosk.start()
        assert set(station.scan_all(*units[UNITS // 2 : -1])) == {OK}
        world.kiosk.cut_power()
        copy = world.kiosk.directory / "copy"
        shutil.copytree(world.kiosk.state_dir / "journal", copy)
        yield world, copy, [document for document, _ in world.kiosk.exported()]


def used(path: Path) -> int:
    """Return how many bytes of a journal file are in use."""
    return len(path.read_bytes().rstrip(b"\0"))


def digest(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def outcome(world: World, copy: Path, damage: tuple[str, str, int]) -> str:
    """Restore the journal with one damage, start the daemon on it, and check what it does."""
    name, kind, at = damage
    directory = world.kiosk.state_dir / "journal"
    shutil.rmtree(directory)
    shutil.copytree(copy, directory)
    path = directory / name
    data = bytearray(path.read_bytes())
    if kind == "cut":
        del data[at:]
    elif kind == "sector":
        data[at : at + SECTOR] = random.Random(at).randbytes(len(data[at : at + SECTOR]))
    else:
        data[at] ^= 0x10
    path.write_bytes(bytes(data))
    before, said = digest(directory), len(world.kiosk.output())
    world.kiosk.spawn()
    ready = "started version="
    wait_for(lambda: ready in world.kiosk.output()[said:] or not world.kiosk.alive(), f"an end or a start: {damage}")
    if world.kiosk.alive():
        world.kiosk.cut_power()
        return "started"
    assert world.kiosk.wait() == 3, damage
    assert digest(directory) == before, f"{damage}: a damaged journal was altered"
    told = world.kiosk.output()[said:]
    assert str(directory) in told, f"{damage}: not told where"
    assert "at byte" in told, f"{damage}: not told where"
    assert "Traceback" not in told
    return "refused"


def whole_before(copy: Path, damage: tuple[str, str, int], documents: list[bytes]) -> int:
    """Return how many events are whole before a damage; all if it is in no segment. A sector may touch two events."""
    name, _, at = damage
    if name == "snapshot":
        return len(documents)
    data = (copy / name).read_bytes()
    return max(0, sum(data.find(document) <= at for document in documents) - 1)


def hold(world: World, copy: Path, documents: list[bytes], damages: list[tuple[str, str, int]]) -> dict[str, int]:
    """Check that each damage is refused or leaves a prefix of the events; return how often which."""
    counts = {"refused": 0, "started": 0}
    for damage in damages:
        found = outcome(world, copy, damage)
        counts[found] += 1
        if found == "started":
            left = [document for document, _ in world.kiosk.exported()]
            assert left == documents[: len(left)], f"{damage}: not a prefix"
            assert len(left) >= whole_before(copy, damage, documents), f"{damage}: more than what it touched is gone"
    return counts


def places(copy: Path, count: int, seed: int) -> list[tuple[str, str, int]]:
    """Return damages after the snapshot, where a start must find each, and in the snapshot itself."""
    chance = random.Random(seed)
    segment = max(path for path in copy.glob("*.seg") if used(path)).name
    end = used(copy / segment)
    # Events before the snapshot are checked only when they are read. Those after it are the file's last part.
    live = end * 2 // 3
    sites = [(segment, live, end - 1), ("snapshot", 0, used(copy / "snapshot") - 1)]
    found = []
    for number in range(count):
        name, low, high = sites[number % 3 == 2]
        found.append((name, ("bit", "sector", "cut")[number // 3 % 3], chance.randrange(low, high)))
    return found


def test_some_damages(journal: tuple[World, Path, list[bytes]]) -> None:
    """Rule: faults.md#damaged-journal."""
    world, copy, documents = journal
    counts = hold(world, copy, documents, places(copy, 9, seed=5))
    assert counts["refused"] >= 7


def test_damage_of_the_last_commit_is_taken_for_an_interrupted_write(journal: tuple[World, Path, list[bytes]]) -> None:
    """Rule: faults.md#unfinished-tail."""
    world, copy, documents = journal
    segment = max(path for path in copy.glob("*.seg") if used(path))
    last = segment.read_bytes().rfind(documents[-1])
    assert outcome(world, copy, (segment.name, "bit", last + 10)) == "started"
    assert [document for document, _ in world.kiosk.exported()] == documents[:-1], "dropped whole, and nothing else"


@pytest.mark.soak
def test_many_damages(journal: tuple[World, Path, list[bytes]]) -> None:
    """Rule: faults.md#damaged-journal."""
    world, copy, documents = journal
    counts = hold(world, copy, documents, places(copy, 150, seed=random.randrange(2**32)))
    print(counts)
    assert counts["refused"] > 100

"""Disk full, read-only, input/output error: scans are refused with `fault` until the disk works again."""

import errno
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.servers import find_program
from harness.waiting import wait_for
from harness.warehouse import line
from harness.world import OK, World, world_of
from tests.system.faults.shim import Shim

FAULT = Signalled("fault", None)
MIB = 1 << 20
Mount = Callable[..., None]


def journal_health(world: World) -> dict[str, Any]:
    """Return what health says about the journal."""
    found: dict[str, Any] = world.centre.request("health")["health"]["journal"]
    return found


def fault_of(world: World) -> str | None:
    fault: str | None = journal_health(world)["fault"]
    return fault


def counted(world: World, order: str) -> list[str]:
    """Return the devices that the exported journal counts in an order, in sequence."""
    events = [event for _, event in world.kiosk.exported()]
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    return [event.data.unit.id for event in events if event.kind == "scan.accepted" and event.subject == order]


def begun(world: World, count: int) -> tuple[str, list[str]]:
    """Start the daemon, and open an order of `count` devices."""
    world.kiosk.start()
    world.centre.wait_status("online")
    order, units = world.simple(count)
    world.opened(order)
    return order, units


def ended(world: World) -> None:
    """Check that the consumer has exactly the journal, and that the daemon stops in order."""
    assert world.delivered() == world.in_sequence()
    assert world.kiosk.run("journal", "verify").returncode == 0
    assert world.kiosk.stop() == 0


# -- a full disk -------------------------------------------------------------------------------------------------------


def fill(directory: Path, *, leave: int = 0) -> Path:
    """Fill the file system, except for `leave` bytes."""
    ballast = directory / "ballast"
    found = os.statvfs(directory)
    with ballast.open("wb", buffering=0) as file:
        rest = found.f_bavail * found.f_frsize - leave
        while rest > 0:
            try:
                rest -= file.write(bytes(min(rest, 65536)))
            except OSError:  # ENOSPC: another writer has taken the rest
                break
    return ballast


def test_full_to_the_last_byte_and_freed_again(own: World, mounted: Mount) -> None:
    """Rule: faults.md#disk-fault."""
    mounted(own.kiosk.state_dir, "-t", "tmpfs", "-o", "size=8m", "tmpfs")
    own.kiosk.settings["uplink"]["reserve_mb"] = 1
    own.kiosk.configure()
    order, units = begun(own, 400)
    ballast = fill(own.kiosk.state_dir)
    taken: list[str] = []

    def refused() -> bool:
        signalled = own.station.scan(units[len(taken)])
        if signalled == OK:
            taken.append(units[len(taken)])
        else:
            assert signalled == FAULT
        return signalled == FAULT

    wait_for(refused, "the disk's reserve to be noticed")
    assert fault_of(own)
    assert own.station.scan_all(units[len(taken)], command("WHERE")) == [FAULT, FAULT], "one signal each, all the time"
    ballast.unlink()
    wait_for(lambda: fault_of(own) is None, "the journal to be written again")
    assert own.station.scan(units[len(taken)]) == OK, "a scan that got fault counts when it is read again"
    assert counted(own, order) == units[: len(taken) + 1], "what was refused is not in the journal"
    ended(own)


def test_full_of_what_is_not_delivered_nothing_is_pruned_until_it_is(own: World, mounted: Mount) -> None:
    """Rule: mqtt.md#disk-reserve."""
    mounted(own.kiosk.state_dir, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    own.kiosk.settings["uplink"]["reserve_mb"] = 4
    own.kiosk.configure()
    own.kiosk.start()
    own.centre.wait_status("online")
    own.consumer.acknowledging = False
    station, units = own.station, own.supply.imeis(2000)
    order = wide_order(own, len(units))
    own.opened(order)
    for at in range(0, len(units), 100):
        assert set(station.burst("left", *units[at : at + 100])) <= {OK, Signalled("order_done", None)}
        if at % 500 == 400:
            assert station.scan_all(command("SAVE"), command("SAVE"))[1].signal == "saved"
    assert station.scan_all(command("PACK"), command("CONFIRM"))[1].signal == "confirmed"

    journal = own.kiosk.state_dir / "journal"
    first = journal / "0000000001.seg"
    other, more = own.simple(60)
    own.opened(other)
    wait_for((journal / "0000000003.seg").exists, "the next segment to be made ahead")
    ballast = fill(own.kiosk.state_dir, leave=3 * MIB + MIB // 2)
    left = iter(more)
    wait_for(lambda: station.scan(next(left)) == FAULT, "the disk's reserve to be noticed")
    assert first.exists(), "nothing of this is delivered"
    own.consumer.acknowledging = True
    wait_for(lambda: fault_of(own) is None, "room made by pruning")
    assert not first.exists()
    assert ballast.exists()
    assert station.scan(next(left)) == OK
    wait_for(lambda: isinstance(journal_health(own)["time_to_full_s"], int), "the time to full")
    last = int(own.centre.request("health")["health"]["uplink"]["last"])
    own.consumer.wait_until(lambda: own.consumer.through(own.kiosk.source)[1] == last, "all events")
    assert [stored.event.number for stored in own.consumer.stored()] == list(range(1, last + 1))
    assert own.kiosk.run("journal", "verify").returncode == 0
    assert own.kiosk.stop() == 0


def wide_order(world: World, count: int) -> str:
    """Publish an order that takes any device of the supply."""
    return world.order(line("1", world.supply.sku(), count, tacs=[world.supply.tac]))


# -- a disk that fails -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failing",
    [
        {"flush": errno.EIO},
        {"write": errno.EIO, "flush": errno.EIO},
        {"write": errno.ENOSPC},
        {"write": errno.EROFS, "opening": errno.EROFS},
    ],
    ids=["flush fails", "input/output error", "no space", "read-only"],
)
def test_failing_storage_and_back(own: World, shim: Shim, failing: dict[str, int]) -> None:
    """Rule: faults.md#disk-fault."""
    order, units = begun(own, 5)
    station = own.station
    assert station.scan(units[0]) == OK
    shim.fail(**failing)
    assert station.scan_all(units[1], units[2], units[2]) == [FAULT] * 3
    assert fault_of(own)
    assert shim.failed
    shim.fail()
    wait_for(lambda: fault_of(own) is None, "the journal to be written again, without a scan")
    # A commit whose flush failed may be on the disk, and is adopted then. No other scan was taken.
    assert station.scan(units[1]) in (OK, Signalled("again", "already_counted"))
    assert station.scan_all(units[2], units[3]) == [OK, OK]
    assert station.scan(units[4]).signal == "order_done"
    assert counted(own, order) == units
    ended(own)


def test_what_the_centre_says_during_a_fault_is_taken_afterwards(own: World, shim: Shim) -> None:
    """Rule: mqtt.md#bounded-memory."""
    order, units = begun(own, 3)
    station = own.station
    assert station.scan(units[0]) == OK
    shim.fail(write=errno.EIO, flush=errno.EIO)
    assert station.scan(units[1]) == FAULT
    for number in range(200):
        own.centre.verdict(f"v{number}", 1, "hold", "SO-NOWHERE", units[2])
    own.centre.verdict("v-here", 1, "hold", order, units[0])
    other = line("1", own.supply.sku(), 1, units=[])
    for revision in range(2, 30):
        own.centre.order(order, other, revision=revision)
    own.centre.order(order, other, revision=30, status="cancelled")
    own.centre.settle()
    shim.fail()
    wait_for(lambda: fault_of(own) is None, "the journal to be written again")
    own.consumer.wait_until(lambda: len(own.consumer.since(0, "order.released")) == 200, "every verdict")
    events = [event for _, event in own.kiosk.exported()]
    assert [event.data.verdict for event in events if event.kind == "order.held"] == ["v-here"]
    revised = [event.data.revision for event in events if event.kind == "order.revised"]
    assert revised == [30], "merged, and the newest"
    ended(own)


def test_killed_while_a_commit_is_in_doubt(own: World, shim: Shim) -> None:
    """Rules: faults.md#disk-fault, faults.md#power-cut."""
    order, units = begun(own, 3)
    assert own.station.scan(units[0]) == OK
    shim.fail(flush=errno.EIO)
    assert own.station.scan(units[1]) == FAULT
    own.kiosk.cut_power()
    shim.fail()
    own.kiosk.start()
    assert own.station.scan(units[1]) in (OK, Signalled("again", "already_counted"))
    assert own.station.scan(units[2]).signal == "order_done"
    assert counted(own, order) == units
    ended(own)


@pytest.mark.soak
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_storage_that_fails_and_works_by_turns(own: World, shim: Shim, error: int) -> None:
    """Rule: faults.md#disk-fault."""
    order, units = begun(own, 120)
    waiting = list(units)
    for turn in range(60):
        shim.fail(**{("flush", "write", "opening")[turn % 3]: error})
        assert own.station.scan(waiting[0]) in (FAULT, OK, Signalled("again", "already_counted"))
        shim.fail()
        wait_for(lambda: own.station.scan(waiting[0]) != FAULT, "the journal to be written again")
        waiting.pop(0)
        assert own.station.scan(waiting.pop(0)).signal in ("ok", "order_done")
    assert counted(own, order) == units
    ended(own)


# -- a file system that went read-only --------------------------------------------------------------------------------


def test_starts_into_fault_on_a_read_only_disk_and_works_once_it_is_writable(own: World, mounted: Mount) -> None:
    """Rule: commands.md#start-with-a-full-disk."""
    state = own.kiosk.state_dir
    mounted(state, "-t", "tmpfs", "-o", "size=8m,ro", "tmpfs")
    own.kiosk.settings["uplink"]["reserve_mb"] = 1
    own.kiosk.configure()
    own.kiosk.start()
    assert own.station.indicator.next().signal == "fault"
    assert own.station.scan("SO-1") == FAULT
    own.centre.wait_health(lambda health: health["journal"]["fault"] is not None, "what is wrong")
    subprocess.run(["mount", "-o", "remount,rw", str(state)], check=True)
    wait_for(lambda: fault_of(own) is None, "the journal to be opened")
    own.centre.wait_status("online")
    order, units = own.simple(2)
    own.opened(order)
    assert own.station.scan_all(*units) == [OK, Signalled("order_done", None)]
    ended(own)


def test_file_system_that_the_kernel_makes_read_only_while_scanning(own: World, mounted: Mount, tmp_path: Path) -> None:
    """What ext4 does after an error: it aborts its journal, and nothing can be written any more.

    Rule: faults.md#disk-fault.
    """
    state, image = own.kiosk.state_dir, tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(32 * MIB)
    try:
        mkfs = find_program("mkfs.ext4")
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    subprocess.run([mkfs, "-q", str(image)], check=True)
    mounted(state, "-o", "loop", str(image))
    order, units = begun(own, 4)
    assert own.station.scan(units[0]) == OK
    subprocess.run(["mount", "-o", "remount,abort", str(state)], check=False, capture_output=True)
    assert own.station.scan_all(units[1], units[2]) == [FAULT, FAULT]
    assert fault_of(own)
    assert own.kiosk.stop() == 0
    subprocess.run(["umount", str(state)], check=True)
    mounted(state, "-o", "loop", str(image))
    own.kiosk.start()
    own.centre.wait_status("online")
    assert own.station.scan(units[1]) in (OK, Signalled("again", "already_counted"))
    assert own.station.scan(units[2]) == OK
    assert own.station.scan(units[3]).signal == "order_done"
    assert counted(own, order) == units
    ended(own)


def test_a_forged_ack_while_the_disk_fails_makes_one_new_id(own: World, shim: Shim) -> None:
    """Rules: mqtt.md#rolled-back-journal, faults.md#disk-fault."""
    _, units = begun(own, 3)
    assert own.station.scan(units[0]) == OK
    old = own.kiosk.status()["journal"]
    shim.fail(write=errno.EIO)
    assert own.station.scan(units[1]) == FAULT
    own.consumer.acknowledging = False
    for _ in range(3):
        own.centre.publish(
            f"{own.centre.agent}/ack", json.dumps({"journal": old, "through": "000000009999"}), retain=True
        )
        seen = len(own.centre.statuses)
        own.broker.stop()
        own.broker.start()
        own.centre.wait_status("online", after=seen)
    shim.fail()
    wait_for(lambda: own.kiosk.status()["journal"] not in (None, old), "the new id")
    assert own.station.scan(units[1]) == OK
    assert {event.journal for _, event in own.kiosk.exported()} == {old, own.kiosk.status()["journal"]}
    assert own.kiosk.status()["journal"] == own.kiosk.exported()[-1][1].journal


# -- files that are gone -----------------------------------------------------------------------------------------------


def in_use(world: World) -> Path:
    """The segment that is written to: the newest with something in it."""
    return max(path for path in (world.kiosk.state_dir / "journal").glob("*.seg") if any(path.read_bytes()))


def unlinked(world: World) -> None:
    in_use(world).unlink()


def copied_over(world: World) -> None:
    path = in_use(world)
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    copy.replace(path)


def emptied(world: World) -> None:
    shutil.rmtree(world.kiosk.state_dir / "journal")
    (world.kiosk.state_dir / "journal").mkdir()


@pytest.mark.parametrize("remove", [unlinked, emptied])
def test_no_success_is_signalled_once_the_file_is_gone(own: World, remove: Callable[[World], None]) -> None:
    """Rule: faults.md#journal-file-gone."""
    _, units = begun(own, 60)
    assert own.station.scan(units[0]) == OK
    remove(own)
    own.station.indicator.take(1)  # without a scan
    for unit in units[1:]:
        assert own.station.scan(unit) == FAULT
    assert fault_of(own)
    verified = own.kiosk.run("journal", "verify")
    assert verified.returncode != 0, verified.stdout
    assert own.kiosk.stop() == 0


def test_a_missing_file_is_shown_at_once_at_every_station(tmp_path: Path) -> None:
    """Rule: faults.md#journal-file-gone."""
    with world_of(tmp_path, stations=("1", "2")) as world:
        began = time.monotonic_ns()
        copied_over(world)
        shown = [station.indicator.next() for station in world.stations.values()]
        assert [one.signal for one in shown] == ["fault", "fault"]
        # The rule says 250 ms; machines that run tests may be slower.
        assert max(one.at_ns for one in shown) - began < 2_000_000_000


def test_it_goes_on_by_itself_with_the_folder_that_comes_back(own: World) -> None:
    """Rule: faults.md#journal-file-gone."""
    order, units = begun(own, 4)
    journal = own.kiosk.state_dir / "journal"
    assert own.station.scan(units[0]) == OK
    old = own.kiosk.directory / "old"
    shutil.copytree(journal, old)
    assert own.station.scan(units[1]) == OK
    away = journal.rename(own.kiosk.directory / "away")
    assert own.station.indicator.next().signal == "fault"
    old.rename(journal)
    assert own.station.scan(units[2]) == FAULT
    wait_for(lambda: "was signalled" in (fault_of(own) or ""), "the older copy to be refused")
    verified = own.kiosk.run("journal", "verify")
    assert verified.returncode == 3
    assert b"which the running daemon has written, is not in it" in verified.stdout
    shutil.rmtree(journal)
    away.rename(journal)
    wait_for(lambda: fault_of(own) is None, "the journal to be taken again")
    assert own.station.scan(units[2]) == OK
    assert own.station.scan(units[3]).signal == "order_done"
    assert counted(own, order) == units
    ended(own)

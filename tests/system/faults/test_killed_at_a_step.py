"""The process ends at a chosen step of a scan's commit: before its write, half-way, before the flush, after it.

Kills at random instants are in tests/system/test_kill.py; here no step is left to chance.
"""

import pytest

from tests.system.faults.shim import Instant, Shim
from tests.system.harness.centre import line
from tests.system.harness.codes import command
from tests.system.harness.indicator import Signalled
from tests.system.harness.patience import Gone
from tests.system.harness.world import BADGES, World

DAY = [
    "sign in",
    "open",
    "role",
    "assign",
    "unit",
    "quantity",
    "product",
    "save",
    "size",
    "confirm box",
    "pack",
    "confirm",
]


def scans_of(order: str, units: list[str], gtin: str) -> dict[str, tuple[str, str]]:
    """Each scan of a small order's way through the kiosk: its code, and the signal that is right for it."""
    return {
        "sign in": (BADGES["E7"], "ok"),
        "open": (order, "ok"),
        "role": (command("ROLE", "ALL"), "prompt"),
        "assign": (BADGES["E7"], "ok"),
        "unit": (units[0], "line_done"),
        "quantity": (command("QTY", 2), "prompt"),
        "product": (gtin, "order_done"),
        "save": (command("SAVE"), "boxed"),
        "size": (command("BOX", "M"), "ok"),
        "confirm box": (command("SAVE"), "saved"),
        "pack": (command("PACK"), "prompt"),
        "confirm": (command("CONFIRM"), "confirmed"),
    }


def facts(world: World) -> list[str]:
    """What the journal says has happened, without the counts."""
    return [event.kind for _, event in world.kiosk.exported()]


def through_the_day(world: World, shim: Shim, instant: Instant, killed_at: list[str]) -> None:
    """Work an order from the badge to the confirmation; the process ends at `instant` of each scan in `killed_at`."""
    kiosk, station, units, gtin = world.kiosk, world.station, world.supply.imeis(1), world.supply.gtin()
    kiosk.start()
    world.centre.wait_status("online")
    order = world.order(
        line("1", world.supply.sku(), 1, units=[[unit] for unit in units]),
        line("2", world.supply.sku(), 2, serialized=False, gtins=[gtin]),
        operators={},
    )
    for name, (code, signal) in scans_of(order, units, gtin).items():
        if name not in killed_at:
            assert station.scan(code) == Signalled(signal, None), name
            continue
        before = facts(world)
        shim.die(instant)
        with pytest.raises(Gone):
            station.scan(code)
        shim.live()
        kiosk.kill()
        kiosk.start()
        after = facts(world)
        assert after[: len(before)] == before, "what was signalled is there"
        was_taken = len(after) > len(before)
        if instant in (Instant.BEFORE_WRITE, Instant.HALF_WRITTEN):
            assert not was_taken, f"{name}: a commit that was never whole has become one"
        else:
            # Killed, not cut from its power: what was written stands in the page cache, flushed or not.
            assert was_taken, f"{name}: a whole commit is gone"
        if not was_taken:
            assert station.scan(code) == Signalled(signal, None), name
    kinds = facts(world)
    assert kinds.count("scan.accepted") == 2
    assert kinds.count("box.confirmed") == kinds.count("order.packing_confirmed") == 1
    assert kiosk.run("journal", "verify").returncode == 0
    assert world.delivered() == world.in_sequence()
    assert kiosk.stop() == 0


@pytest.mark.parametrize(
    ("instant", "killed_at"),
    [
        (Instant.BEFORE_WRITE, ["unit", "confirm box"]),
        (Instant.HALF_WRITTEN, ["assign", "product", "confirm"]),
        (Instant.WRITTEN, ["open", "unit", "size"]),
        (Instant.FLUSHED, ["sign in", "product", "save", "confirm"]),
    ],
)
def test_ended_at_a_step_of_some_scans(own: World, shim: Shim, instant: Instant, killed_at: list[str]) -> None:
    through_the_day(own, shim, instant, killed_at)


@pytest.mark.soak
@pytest.mark.parametrize("instant", Instant)
def test_ended_at_a_step_of_every_scan(own: World, shim: Shim, instant: Instant) -> None:
    through_the_day(own, shim, instant, DAY)

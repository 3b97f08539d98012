"""The process is killed at a chosen step of a commit: before the write, in its middle, before the flush, after it.

tests/system/test_kill.py kills at random instants.
"""

from collections.abc import Collection

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.waiting import DaemonEnded
from harness.warehouse import BADGES, line
from harness.world import World
from tests.system.faults.shim import Instant, Shim

DAY = {
    "sign in": ["operator.signed_in"],
    "open": ["order.opened"],
    "role": ["order.role_asked"],
    "assign": ["order.assigned"] * 3,
    "unit": ["scan.accepted"],
    "quantity": ["scan.selected"],
    "product": ["scan.accepted"],
    "save": ["box.created"],
    "size": ["box.sized"],
    "confirm box": ["box.confirmed"],
    "pack": ["order.packing_started"],
    "confirm": ["order.packing_confirmed"],
}
"""The scans of a small order, from the badge to the confirmation, and the events of each."""


def scans_of(order: str, units: list[str], gtin: str) -> dict[str, tuple[str, str]]:
    """Return each scan's code, and the signal that is right for it."""
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
    """Return the kinds of the events in the journal."""
    return [event.kind for _, event in world.kiosk.exported()]


def through_the_day(world: World, shim: Shim, instant: Instant, killed_at: Collection[str]) -> None:
    """Work through an order; the process is killed at `instant` of each scan in `killed_at`."""
    kiosk, station, units, gtin = world.kiosk, world.station, world.supply.imeis(1), world.supply.gtin()
    kiosk.start()
    world.centre.wait_status("online")
    order = world.order(
        line("1", world.supply.sku(), 1, units=[[unit] for unit in units]),
        line("2", world.supply.sku(), 2, serialized=False, gtins=[gtin]),
        operators={},
    )
    happened: list[str] = []
    for name, (code, signal) in scans_of(order, units, gtin).items():
        if name in killed_at:
            shim.die(instant)
            with pytest.raises(DaemonEnded):
                station.scan(code)
            shim.live()
            kiosk.cut_power()
            kiosk.start()
            # After a kill, the page cache still has what was written, flushed or not.
            if instant in (Instant.WRITTEN, Instant.FLUSHED):
                happened += DAY[name]
            assert facts(world) == happened, f"{name}: all that was signalled, the whole of what was written, no more"
            if instant in (Instant.WRITTEN, Instant.FLUSHED):
                continue
        assert station.scan(code) == Signalled(signal, None), name
        happened += DAY[name]
    assert facts(world) == happened
    assert kiosk.run("journal", "verify").returncode == 0
    assert world.delivered() == world.in_sequence()
    assert kiosk.stop() == 0


@pytest.mark.parametrize(
    ("instant", "killed_at"),
    [
        (Instant.BEFORE_WRITE, ["unit"]),
        (Instant.HALF_WRITTEN, ["assign", "confirm"]),
        (Instant.WRITTEN, ["open", "size"]),
        (Instant.FLUSHED, ["product", "save", "confirm"]),
    ],
)
def test_ended_at_a_step_of_some_scans(own: World, shim: Shim, instant: Instant, killed_at: Collection[str]) -> None:
    """Rule: faults.md#power-cut."""
    through_the_day(own, shim, instant, killed_at)


@pytest.mark.soak
@pytest.mark.parametrize("instant", Instant)
def test_ended_at_a_step_of_every_scan(own: World, shim: Shim, instant: Instant) -> None:
    """Rules: faults.md#power-cut, signals.md#success-means-on-disk."""
    through_the_day(own, shim, instant, DAY)

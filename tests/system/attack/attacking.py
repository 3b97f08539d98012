"""An attack on a running kiosk: measured, with a neighbouring station at work, and followed by a scan that counts."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness.codes import command
from harness.indicator import Signalled
from harness.station import OperatorStation
from harness.waiting import wait_for
from harness.warehouse import BADGES
from harness.world import OK, World, refused
from tests.system.attack.bounds import Bounds, Cost, measuring

__all__ = ["NEIGHBOUR", "SLOWEST_S", "at_rest", "attacked", "one_good_scan", "opened"]

NEIGHBOUR = "2"
"""The station that works on while the kiosk is attacked."""
SLOWEST_S = 5.0
"""How long the neighbour may wait for a signal. No budget: it tells a station that works from one that is starved."""
_PACE_S = 0.1
LONGEST_BACKLOG_S = 300.0
"""How long a long flood may take on its way to the stations, and its events to the consumer."""


class _Neighbour:
    """Counts a device and takes it out again, at the pace of a fast operator, until `stop`."""

    def __init__(self, world: World) -> None:
        order, units = world.simple(2)
        self._station = world.opened(order, world.stations[NEIGHBOUR], operator="E8")
        self._unit = units[0]
        self._over = threading.Event()
        self._problem: BaseException | None = None
        self.slowest_s = 0.0
        self._thread = threading.Thread(target=self._run, name="neighbour")
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self._scan(self._unit, OK)
                self._scan(command("UNDO"), Signalled("removed", None))
        except BaseException as problem:  # noqa: BLE001 - raised again in the test's thread
            self._problem = problem

    def _scan(self, code: str, right: Signalled) -> None:
        began = time.monotonic()
        assert self._station.scan(code) == right
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        self._over.wait(_PACE_S)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """Raise what went wrong at the station."""
        if self._problem is not None:
            raise self._problem
        assert self.slowest_s < SLOWEST_S, f"the neighbour waited {self.slowest_s:.1f} s for a signal"


def at_rest(world: World) -> OperatorStation:
    """Bring the first station to where E7 is signed in and no order is open.

    E7 is not signed out first: after guessed badges nobody else could sign in for a minute.
    """
    station = world.station
    station.indicator.left()
    if station.scan(BADGES["E7"]) != OK:
        # Signed in already, or a role's badge was awaited.
        assert station.scan(BADGES["E7"]).signal == "again"
    assert station.scan(command("CLOSE")) in (OK, refused("order_required"))
    return station


def opened(world: World, order: str) -> OperatorStation:
    """Bring the first station to where the order is open."""
    station = at_rest(world)
    assert station.scan(order) == OK
    return station


def one_good_scan(world: World) -> None:
    """Scan a device of a new order at the first station: one green light, and the consumer has the event."""
    order, units = world.simple(1)
    station = at_rest(world)
    # A flood that the broker has delivered may still be on its way to the stations.
    wait_for(lambda: station.scan(order) == OK, "the order to be known", deadline_s=LONGEST_BACKLOG_S, poll_s=0.2)
    mark = world.consumer.mark()
    assert station.scan(units[0]) == Signalled("order_done", None)
    world.consumer.wait(
        "scan.accepted", since=mark, where=lambda event: event.data.unit.id == units[0], deadline_s=LONGEST_BACKLOG_S
    )
    assert station.indicator.left() == []


@contextmanager
def attacked(world: World, attack: str, bounds: Bounds | None = None) -> Iterator[Cost]:
    """Run the body as an attack. Afterwards the bounds hold, and the neighbour was not disturbed; one scan counts."""
    order, _ = world.simple(1)
    opened(world, order)
    neighbour = _Neighbour(world)
    try:
        with measuring(world.kiosk, attack, bounds) as cost:
            yield cost
            assert world.kiosk.alive(), f"the daemon has ended:\n{world.kiosk.output()[-4000:]}"
    finally:
        neighbour.stop()
    cost.slowest_ms = neighbour.slowest_s * 1000
    neighbour.check()
    world.station.indicator.left()
    one_good_scan(world)
    world.check()

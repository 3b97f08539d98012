"""Two operators scan at random at two stations while the daemon is killed and started again.

Afterwards the journal has no gap, everything that was signalled is in it, and the consumer has each event once.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.models import Event
from harness.station import OperatorStation
from harness.waiting import DaemonEnded
from harness.warehouse import BADGES, line
from harness.world import World, world_of
from tests.system.attack.bounds import Bounds, measuring

SEED = 20261128
SHORT, LONG = 2, 60
"""Kills."""
LONGEST_LIFE_S = 1.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("walk"), stations=("1", "2")) as found:
        yield found


@dataclass
class Walk:
    """One operator's random scans. `facts` are what the signals have promised, in their order."""

    station: OperatorStation
    chance: random.Random
    badge: str
    orders: list[str]
    units: list[str]
    facts: list[tuple[str, str | None]] = field(default_factory=list)
    scans: int = 0

    def next(self) -> tuple[str, str]:
        """Return a kind of scan and its code."""
        kind = self.chance.choices(
            ("unit", "undo", "save", "size", "order", "close", "badge", "out", "where", "garbage", "remove", "cancel"),
            (60, 8, 12, 3, 8, 3, 10, 2, 2, 4, 3, 2),
        )[0]
        code = {
            "unit": self.chance.choice(self.units),
            "undo": command("UNDO"),
            "save": command("SAVE"),
            "size": command("BOX", "M"),
            "order": self.chance.choice(self.orders),
            "close": command("CLOSE"),
            "badge": self.badge,
            "out": command("OUT"),
            "where": command("WHERE"),
            "garbage": f"?{self.chance.randrange(10**9)}",
            "remove": command("REMOVE"),
            "cancel": command("CANCEL"),
        }[kind]
        return kind, code

    def step(self) -> None:
        kind, code = self.next()
        signalled = self.station.scan(code)
        assert signalled.signal != "fault", signalled
        self.scans += 1
        if (fact := self.fact(kind, code, signalled)) is not None:
            self.facts.append(fact)

    def fact(self, kind: str, code: str, signalled: Signalled) -> tuple[str, str | None] | None:
        """Return (event, unit) that must be in the journal after this signal, None if there need not be one."""
        match kind, signalled.signal:
            case "unit", "ok" | "line_done" | "order_done":
                return "scan.accepted", code
            case "unit", "removed":
                return "scan.voided", code
            case "badge", "ok":
                return "operator.signed_in", None
            case "out", "ok":
                return "operator.signed_out", None
            case "order", "ok":
                return "order.opened", None
            case "close", "ok":
                return "order.left", None
            case "save", "boxed":
                return "box.created", None
            case "save", "saved":
                return "box.confirmed", None
        return None


def walk_until(walk: Walk, over: threading.Event, problems: list[BaseException]) -> None:
    """Scan until the daemon ends or `over` is set."""
    try:
        while not over.is_set():
            walk.step()
    except DaemonEnded:
        pass
    except BaseException as problem:  # noqa: BLE001 - raised again in the test's thread
        problems.append(problem)


def check_facts(walk: Walk, events: list[Event]) -> None:
    """Check that what the signals have promised stands in the station's events, in that order."""
    of_station = iter(event for event in events if event.station == walk.station.name)
    for number, (kind, unit) in enumerate(walk.facts):
        assert any(event.kind == kind and (unit is None or event.data.unit.id == unit) for event in of_station), (
            f"station {walk.station.name}: fact {number}, {kind} {unit}, was signalled and is not in the journal"
        )


@pytest.mark.parametrize("kills", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
def test_random_walk_of_two_stations(world: World, kills: int) -> None:
    """Rules: faults.md#power-cut, signals.md#success-means-on-disk, mqtt.md#event-ids-and-sequence."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    walks = []
    for name, badge in zip(world.stations, ("E7", "E8"), strict=True):
        units = world.supply.imeis(30)
        orders = [
            world.order(line("1", world.supply.sku(), 15, units=[[unit] for unit in half]))
            for half in (units[:15], units[15:])
        ]
        walks.append(Walk(world.stations[name], random.Random(f"{SEED} {name}"), BADGES[badge], orders, units))
    journal = world.centre.wait_status("online").journal
    began = world.consumer.mark()
    with measuring(world.kiosk, f"random walk with {kills} kills", Bounds(disk_bytes=(8 + kills // 4) * 2**20)):
        for _ in range(kills):
            over, problems = threading.Event(), list[BaseException]()
            threads = [threading.Thread(target=walk_until, args=(walk, over, problems)) for walk in walks]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0, LONGEST_LIFE_S))
            world.kiosk.kill()
            for thread in threads:
                thread.join()
            if problems:
                raise problems[0]
            world.kiosk.cut_power()
            for walk in walks:
                walk.station.indicator.left()
            world.centre.wait_status("offline")
            world.kiosk.start()
            world.centre.wait_status("online")
    assert world.kiosk.run("journal", "verify").returncode == 0
    events = [event for _, event in world.kiosk.exported()]
    assert {event.journal for event in events} == {journal}
    assert [event.number for event in events] == list(range(1, len(events) + 1)), "the journal has a gap"
    counts: Counter[str] = Counter()
    for event in events:
        if event.kind in ("scan.accepted", "scan.voided"):
            counts[event.data.unit.id] += 1 if event.kind == "scan.accepted" else -1
            assert counts[event.data.unit.id] in (0, 1), f"{event.id} counts a device twice"
    for walk in walks:
        check_facts(walk, events)
    assert world.delivered() == world.in_sequence(), "the consumer has each event once, in the journal's order"
    assert began < world.consumer.mark()
    print(f"{[walk.scans for walk in walks]} scans, {[len(walk.facts) for walk in walks]} facts, {len(events)} events")

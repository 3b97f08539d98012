"""Broker, centre, consumer and one kiosk with its stations, put together."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.broker import Broker
from harness.centre import Centre, line
from harness.codes import Supply, badge, command
from harness.consumer import Consumer
from harness.indicator import Signalled
from harness.kiosk import Kiosk
from harness.station import Station

__all__ = ["BADGES", "OK", "OPERATORS", "SIZES", "World", "refused", "world_of"]

BADGES = {name: badge(f"TOKEN{name}00") for name in ("E7", "E8", "E9", "P1")}
"""The operators' badges. P1 may pick only."""

OPERATORS: list[dict[str, Any]] = [
    {
        "operator": name,
        "name": f"Operator {name}",
        "badges": [code],
        "roles": ["picking"] if name == "P1" else ["picking", "packing", "shipping"],
    }
    for name, code in BADGES.items()
]

SIZES: list[dict[str, Any]] = [
    {"code": "S", "length_mm": 200, "width_mm": 150, "height_mm": 100},
    {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150},
]

OK = Signalled("ok", None)


def refused(reason: str) -> Signalled:
    return Signalled("reject", reason)


@dataclass(kw_only=True)
class World:
    """All of it. `supply` makes what no other test has seen."""

    broker: Broker
    centre: Centre
    consumer: Consumer
    kiosk: Kiosk
    stations: Mapping[str, Station]
    supply: Supply = field(default_factory=Supply)

    @property
    def station(self) -> Station:
        """The first station."""
        return next(iter(self.stations.values()))

    def order(self, *lines: dict[str, Any], order: str | None = None, revision: int = 1, **more: Any) -> str:
        """Publish a manifest and return its order id once the kiosk has taken it."""
        order = order or self.supply.order()
        self.centre.order(order, *lines, revision=revision, **more)
        self.centre.settle()
        return order

    def simple(self, count: int = 1, **more: Any) -> tuple[str, list[str]]:
        """An order of `count` listed used phones of one product: its id and theirs."""
        units = self.supply.imeis(count)
        return self.order(line("1", self.supply.sku(), count, units=[[unit] for unit in units]), **more), units

    def fresh(self, station: Station | None = None, *, operator: str = "E7") -> Station:
        """The station, signed in and without an order, whatever it was doing."""
        station = station or self.station
        station.indicator.left()
        station.scan(command("OUT"))
        assert station.scan(BADGES[operator]) == OK
        assert station.scan(command("CLOSE")) in (OK, refused("order_required"))
        return station

    def opened(self, order: str, station: Station | None = None, *, operator: str = "E7") -> Station:
        """`fresh`, and with an order opened."""
        station = self.fresh(station, operator=operator)
        assert station.scan(order) == OK
        return station

    def check(self) -> None:
        """No promise about messages was broken so far, and nothing failed that nobody had thought of."""
        assert "Traceback" not in self.kiosk.output(), self.kiosk.output()[-4000:]
        assert not self.consumer.problems
        assert not self.centre.problems

    def mark(self) -> int:
        """A place in the consumer's stream behind everything that has happened by now."""
        last = int(self.centre.request("health")["health"]["uplink"]["last"])
        self.consumer.wait_until(lambda: self.consumer.through(self.kiosk.source)[1] >= last, f"event {last}")
        return self.consumer.mark()

    def delivered(self) -> list[bytes]:
        """Wait until the consumer has all that the journal holds by now; the exported documents, in sequence."""
        exported = self.kiosk.exported()
        last = exported[-1][1]
        self.consumer.wait_until(
            lambda: self.consumer.through(self.kiosk.source) >= (last.journal, last.number), "the journal's last event"
        )
        return [document for document, _ in exported]

    def in_sequence(self) -> list[bytes]:
        """What the consumer has stored, by sequence."""
        return [stored.document for stored in sorted(self.consumer.stored(), key=lambda stored: stored.event.number)]


@contextmanager
def world_of(
    directory: Path,
    *,
    stations: Sequence[str] = ("1",),
    scanners: Sequence[str] = ("left", "right"),
    indicator: Literal["fifo", "file"] = "fifo",
    workflow: Mapping[str, Any] | None = None,
    uplink: Mapping[str, Any] | None = None,
    mqtt: Mapping[str, Any] | None = None,
    broker_options: Mapping[str, Any] | None = None,
    user: str | None = None,
    started: bool = True,
) -> Iterator[World]:
    """A world in `directory`, everything in it started and the kiosk online; broken promises are an error at its end.

    `broker_options` are `Broker`'s; `user` is who the centre and the consumer are there.
    With `started` false the daemon waits to be started by the test, and may end as it likes.
    """
    with ExitStack() as undo:
        broker = undo.enter_context(Broker(directory / "broker", **(broker_options or {})))
        benches = [Station(directory, name, scanners=scanners, indicator=indicator) for name in stations]
        for bench in benches:
            undo.callback(bench.close)
        kiosk = Kiosk(directory, broker, benches, workflow=workflow, uplink=uplink, mqtt=mqtt)
        undo.callback(kiosk.close)
        centre = Centre(broker, kiosk=kiosk.name, user=user)
        centre.start()
        undo.callback(centre.stop)
        consumer = Consumer(broker, user=user)
        consumer.start()
        undo.callback(consumer.stop)
        centre.operators(1, OPERATORS)
        centre.boxes(1, SIZES)
        world = World(
            broker=broker, centre=centre, consumer=consumer, kiosk=kiosk, stations={b.name: b for b in benches}
        )
        if started:
            kiosk.start()
            centre.wait_status("online")
            centre.settle()
        yield world
        if started:
            assert kiosk.alive(), f"the daemon has ended:\n{kiosk.output()[-4000:]}"
            assert kiosk.stop() == 0
        world.check()

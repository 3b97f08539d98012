"""A world for tests: broker, centre, consumer, and kiosks with their stations; one kiosk, or a fleet."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.broker import Broker
from harness.centre import Centre
from harness.codes import command
from harness.consumer import Consumer
from harness.indicator import Signalled
from harness.kiosk import Kiosk
from harness.station import OperatorStation
from harness.warehouse import BADGES, OPERATORS, SIZES, Supply, line

__all__ = ["OK", "World", "fleet_of", "refused", "world_of"]

OK = Signalled("ok", None)


def refused(reason: str) -> Signalled:
    return Signalled("reject", reason)


@dataclass(kw_only=True)
class World:
    """One kiosk, and the broker, the centre and the consumer that it works with."""

    broker: Broker
    centre: Centre
    consumer: Consumer
    kiosk: Kiosk
    stations: Mapping[str, OperatorStation]
    supply: Supply = field(default_factory=Supply)

    @property
    def station(self) -> OperatorStation:
        """The first station."""
        return next(iter(self.stations.values()))

    def start(self) -> None:
        """Start the daemon; return when it is online and has taken everything that the centre published."""
        self.kiosk.start()
        self.centre.wait_status("online")
        self.centre.settle()

    # -- orders and stations -----------------------------------------------------------------------------------

    def order(self, *lines: Mapping[str, Any], order: str | None = None, **more: Any) -> str:
        """Publish a manifest, and return its order id once the kiosk has taken it."""
        order = order or self.supply.order()
        self.centre.order(order, *lines, **more)
        self.centre.settle()
        return order

    def simple(self, count: int = 1, **more: Any) -> tuple[str, list[str]]:
        """Publish an order of `count` listed used phones of one product; return its id and theirs."""
        units = self.supply.imeis(count)
        return self.order(line("1", self.supply.sku(), count, units=[[unit] for unit in units]), **more), units

    def fresh(self, station: OperatorStation | None = None, *, operator: str = "E7") -> OperatorStation:
        """Bring a station to where an operator is signed in and no order is open, whatever it was doing."""
        station = station or self.station
        station.indicator.left()
        station.scan(command("OUT"))
        assert station.scan(BADGES[operator]) == OK
        assert station.scan(command("CLOSE")) in (OK, refused("order_required"))
        return station

    def opened(self, order: str, station: OperatorStation | None = None, *, operator: str = "E7") -> OperatorStation:
        """Bring a station to where an operator is signed in and the order is open."""
        station = self.fresh(station, operator=operator)
        assert station.scan(order) == OK
        return station

    # -- what the consumer has ---------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise AssertionError if a message has broken the contract, or the daemon has logged a traceback."""
        assert "Traceback" not in self.kiosk.output(), self.kiosk.output()[-4000:]
        assert not self.consumer.problems
        assert not self.centre.problems

    def mark(self) -> int:
        """Wait until the consumer has every event recorded so far; return the end of its store."""
        last = int(self.centre.request("health")["health"]["uplink"]["last"])
        self.consumer.wait_until(lambda: self.consumer.through(self.kiosk.source)[1] >= last, f"event {last}")
        return self.consumer.mark()

    def delivered(self) -> list[bytes]:
        """Wait until the consumer has every event of the journal; return the exported documents, in sequence."""
        exported = self.kiosk.exported()
        last = exported[-1][1]
        self.consumer.wait_until(
            lambda: self.consumer.through(self.kiosk.source) >= (last.journal, last.number), "the journal's last event"
        )
        return [document for document, _ in exported]

    def in_sequence(self) -> list[bytes]:
        """Return the documents that the consumer has stored of this kiosk, by sequence."""
        stored = [one for one in self.consumer.stored() if one.event.source == self.kiosk.source]
        return [one.document for one in sorted(stored, key=lambda one: one.event.number)]


@contextmanager
def world_of(
    directory: Path,
    *,
    name: str = "dock-3",
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
    """Make a world in `directory`, with its kiosk started and online; a broken promise is an error at the end.

    `broker_options` are `Broker`'s; `user` is the broker's user for the centre and the consumer. With `started` false
    the test starts and ends the daemon itself.
    """
    with ExitStack() as undo:
        broker = undo.enter_context(Broker(directory / "broker", **(broker_options or {})))
        consumer = undo.enter_context(Consumer(broker, user=user))
        world = undo.enter_context(
            _kiosk_of(
                directory, broker, consumer, name=name, stations=stations, scanners=scanners, indicator=indicator,
                workflow=workflow, uplink=uplink, mqtt=mqtt, user=user,
            )
        )  # fmt: skip
        if started:
            world.start()
        yield world
        if started:
            _stop(world)
        world.check()


@contextmanager
def fleet_of(directory: Path, names: Sequence[str], **kiosk_options: Any) -> Iterator[list[World]]:
    """Make one world for each kiosk of a site, all started and online; they share the broker and the consumer.

    `kiosk_options` are those of `world_of` that concern the kiosk.
    """
    with ExitStack() as undo:
        broker = undo.enter_context(Broker(directory / "broker"))
        consumer = undo.enter_context(Consumer(broker))
        worlds = [
            undo.enter_context(_kiosk_of(directory / name, broker, consumer, name=name, **kiosk_options))
            for name in names
        ]
        for number, world in enumerate(worlds):
            world.supply = Supply(f"356938{number:02d}")
            world.start()
        yield worlds
        for world in worlds:
            _stop(world)
        for world in worlds:
            world.check()


@contextmanager
def _kiosk_of(
    directory: Path,
    broker: Broker,
    consumer: Consumer,
    *,
    name: str,
    stations: Sequence[str] = ("1",),
    scanners: Sequence[str] = ("left", "right"),
    indicator: Literal["fifo", "file"] = "fifo",
    workflow: Mapping[str, Any] | None = None,
    uplink: Mapping[str, Any] | None = None,
    mqtt: Mapping[str, Any] | None = None,
    user: str | None = None,
) -> Iterator[World]:
    """Make a kiosk, not yet started, and its centre, with operators and box sizes published.

    Bounce suppression is off unless `workflow` says otherwise, so that a test may scan a code twice.
    """
    settings = {
        "mqtt": mqtt or {},
        "uplink": {"ack_timeout_s": 5, **(uplink or {})},
        "workflow": {"bounce_ms": 0, **(workflow or {})},
    }
    with ExitStack() as undo:
        benches = [
            undo.enter_context(OperatorStation(directory, one, scanners=scanners, indicator=indicator))
            for one in stations
        ]
        kiosk = undo.enter_context(Kiosk(directory, broker.port, benches, name=name, settings=settings))
        centre = undo.enter_context(Centre(broker, kiosk=name, user=user))
        centre.operators(1, OPERATORS)
        centre.boxes(1, SIZES)
        by_name = {bench.name: bench for bench in benches}
        yield World(broker=broker, centre=centre, consumer=consumer, kiosk=kiosk, stations=by_name)


def _stop(world: World) -> None:
    assert world.kiosk.alive(), f"the daemon has ended:\n{world.kiosk.output()[-4000:]}"
    assert world.kiosk.stop() == 0

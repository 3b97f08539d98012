"""Real daemons for the rows: rows with the same kind of settings share one, each at a station of its own."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from harness.broker import Broker
from harness.centre import Centre
from harness.consumer import Consumer
from harness.indicator import Signalled
from harness.kiosk import Kiosk
from harness.station import OperatorStation
from harness.waiting import DEADLINE_S
from harness.warehouse import BADGES, SIZES
from harness.world import OK, World
from tests.field.corpus import ROWS, Answer, Row, check
from tests.field.notation import Pause, Piece, in_packets

__all__ = ["GROUPS", "Outcomes", "group_of", "run_group"]

_WAITING_DEADLINE_S = 3.0
"""A row that waits for a rule may get no signal at all."""
_AFTER_S = 0.5
"""Longer than the idle gap of a scanner: what comes later than that belongs to no row."""
_HEALTH_S, _HEALTH_STEP_S = 3.0, 0.1
_NODES_S = 1.2
"""A new event node is open within a second."""
_ORDER_GONE = Signalled("alarm", "order_closed")


_SHARED = {"driver", "layout", "terminator"}
"""Settings of scanners that may differ between the stations of one daemon; a row with others gets a daemon of its own
kind, which does not start before they exist."""


def group_of(row: Row) -> str:
    """Return the name of the daemon that takes a row."""
    setup = row.setup
    own = [setup.about] if setup.apart else []
    return " ".join([row.subject, *sorted(setup.scanner.keys() - _SHARED), *sorted(setup.workflow), *own])


GROUPS: dict[str, list[Row]] = {}
for _row in ROWS:
    GROUPS.setdefault(group_of(_row), []).append(_row)


class _FieldStation(OperatorStation):
    """A station with two scanners: `hand`, for what a row needs before, and the one under test."""

    def __init__(self, directory: Path, name: str, row: Row, nodes: Path) -> None:
        super().__init__(directory, name, scanners=("hand",) if row.setup.is_keyboard else ("hand", "field"))
        self.row = row
        self._nodes = nodes
        self._pipes: list[int] = []
        self._opened_at = 0.0
        if row.setup.is_keyboard:
            self.plug_in(upto=0.0)

    def settings(self) -> dict[str, Any]:
        settings = super().settings()
        scanners = settings["scanner"]
        if self.row.setup.is_keyboard:
            scanners.append({"name": "field", "vendor": "0c2e", "product": f"{int(self.name):04x}"})
        scanners[-1] |= self.row.setup.scanner
        return settings

    def plug_in(self, upto: float) -> None:
        """Make the event nodes that have appeared `upto` seconds after the first."""
        for number, appears in enumerate(self.row.setup.nodes):
            if len(self._pipes) == number and appears <= upto:
                path = self._nodes / f"event{number}-{int(self.name):04x}"
                os.mkfifo(path)
                pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
                fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_NONBLOCK | os.O_DIRECT)
                self._pipes.append(pipe)

    def send(self, piece: Piece) -> None:
        if not self.row.setup.is_keyboard:
            self.scanners["field"].write(piece.data)
            return
        for packet in in_packets(piece.data):
            assert os.write(self._pipes[piece.node - 1], packet) == len(packet)

    def close(self) -> None:
        super().close()
        for pipe in self._pipes:
            os.close(pipe)


class _FieldKiosk(Kiosk):
    """A kiosk whose daemon finds its keyboard wedges in a folder of named pipes."""

    def _command(self, *arguments: str) -> list[str]:
        return ["tests.field.wedge_agent" if part == "agent" else part for part in super()._command(*arguments)]


@dataclass
class Outcomes:
    """What came of a group: the answer of each row, or what went wrong before; and what went wrong with all of it."""

    answers: dict[str, Answer] = field(default_factory=dict)
    failures: dict[str, BaseException] = field(default_factory=dict)
    failure: BaseException | None = None

    def check(self, row: Row) -> None:
        """Raise AssertionError unless the row got the expected answer."""
        failure = self.failures.get(str(row), None if str(row) in self.answers else self.failure)
        assert failure is None, f"{type(failure).__name__}: {failure}"
        check(row, self.answers[str(row)])


@contextmanager
def _world_of(directory: Path, rows: Sequence[Row]) -> Iterator[World]:
    setups = {row.setup.about: row.setup for row in rows}.values()
    operators = {one["operator"]: one for setup in setups for one in setup.operators_list}
    blocked = [one for setup in setups for one in setup.blocked]
    nodes = directory / "nodes"
    nodes.mkdir(parents=True)
    with ExitStack() as undo:
        broker = undo.enter_context(Broker(directory / "broker"))
        consumer = undo.enter_context(Consumer(broker))
        stations = [
            undo.enter_context(_FieldStation(directory, str(number), row, nodes)) for number, row in enumerate(rows, 1)
        ]
        kiosk = undo.enter_context(
            _FieldKiosk(
                directory, broker.port, stations,
                settings={"workflow": {"bounce_ms": 0, **rows[0].setup.workflow}},
                environment={"FIELD_NODES": str(nodes)},
            )
        )  # fmt: skip
        centre = undo.enter_context(Centre(broker, kiosk=kiosk.name))
        centre.operators(1, list(operators.values()))
        centre.boxes(1, SIZES)
        centre.blocked("field", 1, blocked)
        world = World(
            broker=broker, centre=centre, consumer=consumer, kiosk=kiosk,
            stations={station.name: station for station in stations},
        )  # fmt: skip
        world.start()
        yield world
        assert kiosk.stop() == 0
        world.check()


def _publish_orders(world: World, row: Row) -> None:
    """Have the kiosk know the orders of a row; return when it does.

    Requests are not answered in line with other messages, but a verdict is taken in line, and is an event.
    """
    for manifest in row.setup.manifests(str(row)):
        lines = manifest.pop("lines")
        world.centre.order(manifest.pop("order"), *lines, **manifest)
    verdict, mark = f"before-{row}", world.consumer.mark()
    world.centre.verdict(verdict, 1, "hold", "no-such-order", "no-such-unit")
    world.consumer.wait("order.released", since=mark, where=lambda event: event.data.verdict == verdict)


def _bring(station: _FieldStation) -> None:
    """Bring a station to where its row begins."""
    row = station.row
    if row.setup.state != "signed_out":
        assert station.scan(BADGES["E7"], "hand") == OK
    if row.setup.state == "open":
        signalled = station.scan(row.setup.manifests(str(row))[0]["order"], "hand")
        assert signalled == OK, f"the order does not open: {signalled}"
    for code in row.before:
        signalled = station.scan(code, "hand")
        assert signalled.signal != "reject", f"{code!r} before the row: {signalled}"


class _Scanned(NamedTuple):
    """What is known of a row when its last signal has come: its events are those of its station in this range."""

    first: int
    last: int
    health: str


def _scanned(world: World, station: _FieldStation) -> _Scanned:
    """Scan what a row scans."""
    row = station.row
    _publish_orders(world, row)
    _bring(station)
    for appears in row.setup.nodes[1:]:
        time.sleep(appears)
        station.plug_in(upto=appears)
    if len(row.setup.nodes) > 1:
        time.sleep(_NODES_S)
    before = world.centre.request("health")
    for piece in row.pieces:
        if isinstance(piece, Pause):
            time.sleep(piece.seconds)
        else:
            station.send(piece)
    if not row.expected.signals:
        time.sleep(_AFTER_S)
    deadline_s = DEADLINE_S if row.waits is None else _WAITING_DEADLINE_S
    station.indicator.wait(len(row.expected.signals), deadline_s=deadline_s)
    after = world.centre.request("health")
    deadline = time.monotonic() + _HEALTH_S
    while not _tells(after, row.expected.health) and time.monotonic() < deadline:
        time.sleep(_HEALTH_STEP_S)
        after = world.centre.request("health")
    return _Scanned(_last_event(before) + 1, _last_event(after), json.dumps(after["health"]))


def _tells(answer: Mapping[str, Any], texts: Sequence[str]) -> bool:
    """Return whether the health has these texts. It follows a message of the centre within a tick of the daemon."""
    health = json.dumps(answer["health"])
    return all(json.dumps(text)[1:-1] in health for text in texts)


def _last_event(answer: Mapping[str, Any]) -> int:
    return int(answer["health"]["uplink"]["last"])


def _documents(world: World, station: str, scanned: _Scanned) -> list[Mapping[str, Any]]:
    """Return the events of a row; the consumer has them all."""
    stored = [one for one in world.consumer.stored() if scanned.first <= one.event.number <= scanned.last]
    documents = [json.loads(one.document) for one in sorted(stored, key=lambda one: one.event.number)]
    return [one for one in documents if one.get("station") == station]


def _shown(station: _FieldStation) -> list[tuple[str, str | None]]:
    """Return every signal since the row was scanned, but for the end of its order."""
    signals = [shown.signalled for shown in station.indicator.left()]
    return [(one.signal, one.reason) for one in signals if one != _ORDER_GONE]


@cache
def run_group(name: str, directory: Path) -> Outcomes:
    """Run the rows of a group through one daemon, one after the other."""
    outcomes, rows = Outcomes(), GROUPS[name]
    scanned: dict[str, _Scanned] = {}
    try:
        with _world_of(directory, rows) as world:
            stations = [station for station in world.stations.values() if isinstance(station, _FieldStation)]
            for station in stations:
                row = str(station.row)
                try:
                    scanned[row] = _scanned(world, station)
                except Exception as exc:  # noqa: BLE001 - the row's test raises it
                    outcomes.failures[row] = exc
                # The next row may use the same barcodes and units.
                for manifest in station.row.setup.manifests(row):
                    world.centre.withdraw(manifest["order"])
            time.sleep(_AFTER_S)
            world.mark()
            for station in stations:
                row = str(station.row)
                if row in scanned:
                    outcomes.answers[row] = Answer(
                        shown=_shown(station),
                        documents=_documents(world, station.name, scanned[row]),
                        health=scanned[row].health,
                    )
    except Exception as exc:  # noqa: BLE001 - the group's tests raise it
        outcomes.failure = exc
    return outcomes

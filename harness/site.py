"""A site as it is in a warehouse: brokers, the real centre, and real kiosks with their stations."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.broker import Broker
from harness.centre_process import CentreProcess
from harness.codes import command
from harness.indicator import Signalled
from harness.kiosk import Kiosk
from harness.station import OperatorStation
from harness.waiting import DEADLINE_S, wait_for
from harness.warehouse import BADGES, OPERATORS, SIZES, Supply, line, manifest

__all__ = ["Bench", "Site", "site_of"]

_OK = Signalled("ok", None)


@dataclass(kw_only=True)
class Bench:
    """One kiosk with one station."""

    kiosk: Kiosk
    station: OperatorStation

    def sign_in(self, operator: str = "E7") -> None:
        """Bring the station to where an operator is signed in and no order is open."""
        self.station.indicator.left()
        self.station.scan(command("OUT"))

        def is_in() -> bool:
            return self.station.scan(BADGES[operator]) == _OK

        wait_for(is_in, f"{operator} to be signed in", poll_s=0.2)
        self.station.scan(command("CLOSE"))

    def open(self, order: str) -> None:
        """Open an order as soon as the kiosk has its manifest."""
        wait_for(lambda: self.station.scan(order) == _OK, f"{order} to open", poll_s=0.2)

    def is_delivered(self) -> bool:
        """Return whether the centre has acknowledged every event of the kiosk."""
        return bool(self.kiosk.status()["health"]["uplink"]["backlog"] == 0)

    def pack(self, order: str, units: Sequence[str]) -> None:
        """Sign in, open the order, scan its devices into one box, confirm the box and the order."""
        self.sign_in()
        self.open(order)
        signals = self.station.scan_all(*units, command("SAVE"), command("BOX", "M"), command("SAVE"))
        assert {one.signal for one in signals[: len(units)]} <= {"ok", "line_done", "order_done"}, signals
        signals += self.station.scan_all(command("PACK"), command("CONFIRM"))
        assert signals[-1].signal == "confirmed", signals


@dataclass(kw_only=True)
class Site:
    """The parts of one site, and what tests ask of them."""

    brokers: Sequence[Broker]
    centre: CentreProcess
    benches: Sequence[Bench]
    supply: Supply = field(default_factory=Supply)

    @property
    def bench(self) -> Bench:
        """The first bench."""
        return self.benches[0]

    def set_up(self) -> None:
        """Give the site its operators and box sizes."""
        self.centre.put("/operators/rtm1", {"items": OPERATORS})
        self.centre.put("/box-sizes/rtm1", {"items": SIZES})

    def order(self, count: int = 2) -> tuple[str, list[str]]:
        """Put an order of listed used phones; return its id and theirs."""
        order, units = self.supply.order(), self.supply.imeis(count)
        content = manifest(order, line("1", self.supply.sku(), count, units=[[unit] for unit in units]))
        self.centre.put(f"/orders/{order}", {key: value for key, value in content.items() if key != "revision"})
        return order, units

    def wait_order(self, order: str, status: str, *, deadline_s: float = DEADLINE_S) -> dict[str, Any]:
        """Wait until an order has a status at the centre; return its resource."""
        found: dict[str, Any] = {}

        def has_status() -> bool:
            answer = self.centre.api().get(f"/orders/{order}")
            if answer.status_code != 200:
                return False
            found.update(answer.json())
            return bool(found["status"] == status)

        wait_for(has_status, f"{order} to be {status}", deadline_s=deadline_s, poll_s=0.1)
        return found

    def wait_delivered(self, *, deadline_s: float = DEADLINE_S) -> None:
        """Wait until every event of every kiosk is acknowledged by the centre."""
        for bench in self.benches:
            wait_for(bench.is_delivered, f"{bench.kiosk.name} to be delivered", deadline_s=deadline_s, poll_s=0.2)

    def exported(self) -> set[bytes]:
        """Return the documents of all journals."""
        return {document for bench in self.benches for document, _ in bench.kiosk.exported()}

    def check(self) -> None:
        """Raise AssertionError unless the centre holds exactly the events of the journals, each once."""
        stored = self.centre.events()
        assert len(stored) == len(set(stored)), "an event is stored twice"
        journals = self.exported()
        assert not journals - set(stored), "an event of a journal is not stored"
        assert not set(stored) - journals, "an event is stored that no journal has"
        assert self.centre.get("/dead-letters")["items"] == []
        assert "Traceback" not in self.centre.output(), self.centre.output()[-4000:]


@contextmanager
def site_of(
    directory: Path,
    *,
    kiosks: Sequence[str] = ("dock-1",),
    brokers: int = 1,
    database_url: str | None = None,
    centre: Mapping[str, Mapping[str, Any]] | None = None,
    uplink: Mapping[str, Any] | None = None,
) -> Iterator[Site]:
    """Make a site in `directory`, all of it started. Everything is stopped at the end, what is left is killed.

    `centre` are tables of the centre's configuration. With several brokers each kiosk knows them all.
    """
    with ExitStack() as undo:
        running = [undo.enter_context(Broker(directory / f"broker-{number}")) for number in range(brokers)]
        ports = [broker.port for broker in running]
        process = undo.enter_context(
            CentreProcess(directory / "centre", ports, database_url=database_url, settings=centre)
        )
        process.start()
        benches = []
        for name in kiosks:
            station = undo.enter_context(OperatorStation(directory / name))
            settings = {"uplink": {"ack_timeout_s": 5, **(uplink or {})}, "workflow": {"bounce_ms": 0}}
            kiosk = undo.enter_context(Kiosk(directory / name, ports[0], [station], name=name, settings=settings))
            if len(ports) > 1:
                kiosk.settings["mqtt"] = {"hosts": [f"127.0.0.1:{port}" for port in ports], "tls": False}
                kiosk.configure()
            benches.append(Bench(kiosk=kiosk, station=station))
        site = Site(brokers=running, centre=process, benches=benches)
        site.set_up()
        for bench in benches:
            bench.kiosk.start()
        yield site

"""What is measured: a real kiosk with one station, its broker, and a consumer that costs little."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bench.consumer import CountingConsumer
from bench.process import wait_idle
from bench.scratch import MEMORY, Scratch
from harness.broker import Broker
from harness.centre import Centre
from harness.codes import command, imei
from harness.kiosk import Kiosk
from harness.station import OperatorStation
from harness.waiting import wait_for
from harness.warehouse import BADGES, OPERATORS, SIZES, line, manifest

__all__ = [
    "DEADLINE_S",
    "KIOSK",
    "ROOT",
    "SITE",
    "TAC",
    "TUNED_BROKER",
    "Measured",
    "big_order",
    "drained",
    "expect",
    "measured",
    "open_order",
    "publish",
    "save_box",
    "serial_units",
    "wait_ready",
]

SITE = "rtm1"
KIOSK = "bench-1"
ROOT = f"kiosk/v1/{SITE}"
TAC = "49015420"
DEADLINE_S = 120.0
"""For what a slow kiosk or a full journal may keep waiting."""

TUNED_BROKER = {
    "max_inflight_messages": 0,  # no limit: the consumer's own pace is the limit, not a window of twenty
    "log_type": "error",
}


class Measured(NamedTuple):
    """One kiosk and what is around it."""

    kiosk: Kiosk
    station: OperatorStation
    consumer: CountingConsumer
    broker: Broker


@contextmanager
def measured(
    scratch: Scratch,
    name: str,
    *orders: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
    wrapper: Sequence[str] = (),
) -> Iterator[Measured]:
    """Make a kiosk, not yet started, in a folder of the measured disk; the broker retains the orders.

    The station's devices are kept off the measured disk. `environment` and `wrapper` are the kiosk's.
    """
    folder = scratch.folder(name)
    with ExitStack() as undo:
        devices = Path(undo.enter_context(TemporaryDirectory(prefix="bench-", dir=MEMORY)))
        broker = undo.enter_context(Broker(folder / "broker", settings=TUNED_BROKER))
        publish(broker, orders)
        consumer = undo.enter_context(CountingConsumer(broker.port, SITE, KIOSK))
        station = undo.enter_context(OperatorStation(devices, scanners=("left",), indicator="file"))
        kiosk = undo.enter_context(
            Kiosk(
                folder / "kiosk", broker.port, [station], name=KIOSK, site=SITE, environment=environment,
                wrapper=wrapper,
            )
        )  # fmt: skip
        yield Measured(kiosk, station, consumer, broker)


def publish(broker: Broker, orders: Iterable[Mapping[str, Any]]) -> None:
    """Retain the operators, the box sizes and these orders; then leave, so that no client of ours costs time."""
    with Centre(broker, kiosk=KIOSK, site=SITE) as centre:
        centre.operators(1, OPERATORS)
        centre.boxes(1, SIZES)
        for order in orders:
            centre.tell(f"order/{order['order']}", order, check=False)  # it takes longer than the rest


def wait_ready(at: Measured) -> None:
    """Wait until the kiosk is online, has taken everything that is retained, and is idle."""
    with Centre(at.broker, kiosk=KIOSK, site=SITE) as centre:
        centre.wait_status("online", deadline_s=DEADLINE_S)
        centre.settle()
    wait_idle(at.kiosk.pid)


def open_order(at: Measured, order: str) -> None:
    """Sign in and open an order."""
    expect(at.station, "ok", BADGES["E7"], order)


def expect(station: OperatorStation, signal: str, *codes: str) -> None:
    """Scan codes that must all get this signal. Raises AssertionError."""
    found = station.scan_all(*codes)
    assert all(one.signal == signal for one in found), f"{codes} gave {found}, not {signal}"


def save_box(station: OperatorStation) -> None:
    """Create the open box and confirm it. The size between the two SAVE is there so that the second is no bounce."""
    expect(station, "boxed", command("SAVE"))
    expect(station, "ok", command("BOX", "M"))
    expect(station, "saved", command("SAVE"))


def drained(kiosk: Kiosk) -> None:
    """Wait until the kiosk knows all its events to be delivered."""
    wait_for(lambda: not kiosk.status()["health"]["uplink"]["backlog"], "an empty backlog", deadline_s=DEADLINE_S)


def big_order(order: str, quantity: int) -> dict[str, Any]:
    """Return an order that takes any phone of `serial_units`."""
    return manifest(order, line("1", "P13", quantity, tacs=[TAC]))


def serial_units(first: int = 0) -> Iterator[str]:
    """Yield IMEIs that a big order takes, each once."""
    for number in range(first, 1_000_000):
        yield imei(TAC, number)

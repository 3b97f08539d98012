"""Kiosks that pack whole orders: their manifests, and the events that a day's work is made of."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from agent.contract.cloudevents import Envelope, document, topic_of
from agent.contract.event_values import Content, LineCount, Size, Unit
from agent.contract.events import (
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxSized,
    Event,
    OrderOpened,
    PackingConfirmed,
    PackingStarted,
)
from agent.contract.manifest import Flow, Role
from bench.world import SITE
from harness.codes import imei, sscc
from harness.warehouse import line, manifest

__all__ = ["DEVICES", "Fleet", "Message", "devices_of", "manifest_of", "order_name"]

DEVICES = 10
"""Phones in each order; half of them in each of its two boxes."""
_BOXES = 2
_USED = Flow("used")
_FIRST_TAC = 35_000_000
_BOOT = "7d1e40aa-0000-4000-8000-000000000000"
_SIZE = Size(code="M", length_mm=300, width_mm=200, height_mm=150)
_EVERY = timedelta(milliseconds=800)
"""What passes between two events of one kiosk, by its clock."""


class Message(NamedTuple):
    """An event as a kiosk publishes it."""

    kiosk: str
    sequence: int
    topic: str
    payload: bytes


def order_name(number: int) -> str:
    return f"SO-{number:07d}"


def devices_of(number: int) -> list[Unit]:
    """Return the phones of an order: each has two IMEIs, which no other phone has."""
    first = number * DEVICES * 2
    imeis = [_imei(first + place) for place in range(DEVICES * 2)]
    pairs = zip(imeis[::2], imeis[1::2], strict=True)
    return [Unit(scheme="imei", id=one, aliases=(other,)) for one, other in pairs]


def _imei(number: int) -> str:
    return imei(str(_FIRST_TAC + number // 1_000_000), number % 1_000_000)


def manifest_of(number: int) -> dict[str, Any]:
    """Return the manifest of an order, which lists its phones."""
    units = [[unit.id, *unit.aliases] for unit in devices_of(number)]
    return manifest(order_name(number), line("1", "P13-128-BLK", DEVICES, units=units))


class Fleet:
    """Kiosks that all work, each on orders of its own.

    Orders are numbered as they are opened, from `first_order` on; `orders` of them are open or packed so far.
    """

    def __init__(self, kiosks: int, *, began: datetime, journal: int = 1, first_order: int = 0) -> None:
        self._numbers = count(first_order)
        self.orders = 0
        self._began = began.astimezone(UTC)
        self.names = [f"dock-{number}" for number in range(1, kiosks + 1)]
        self._kiosks = [self._work(name, f"{journal:04X}{place:04X}") for place, name in enumerate(self.names)]

    def next(self, place: int) -> Message:
        """Return the next event of one kiosk."""
        return next(self._kiosks[place % len(self._kiosks)])

    def messages(self, number: int) -> list[Message]:
        """Return a number of events, one of each kiosk in turn."""
        return [self.next(place) for place in range(number)]

    def _work(self, kiosk: str, journal: str) -> Iterator[Message]:
        sequence = 0
        while True:
            self.orders += 1
            for event in _packing(next(self._numbers), kiosk):
                sequence += 1
                at = self._began + _EVERY * sequence
                envelope = Envelope(
                    source=f"/kiosk/{SITE}/{kiosk}", journal=journal, boot_id=_BOOT,
                    time=f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
                    uptime_ms=800 * sequence, clock_synced=True,
                )  # fmt: skip
                payload = document(event, envelope, sequence)
                topic = f"kiosk/v1/{SITE}/agent/{kiosk}/event/{topic_of(payload)}"
                yield Message(kiosk, sequence, topic, payload)


def _packing(number: int, kiosk: str) -> Iterator[Event]:
    """Yield the events of one order, from its first scan to CONFIRM."""
    order, devices = order_name(number), devices_of(number)
    here: dict[str, Any] = {"station": "1", "by": "E7"}
    yield OrderOpened(**here, order=order, revision=1, mode=_USED)
    boxes, scanned = [], 0
    for place in range(_BOXES):
        box = f"{kiosk}-{number:07d}-{place + 1}"
        boxes.append(box)
        inside = devices[place::_BOXES]
        for unit in inside:
            scanned += 1
            yield _accepted(here, order, box, unit, scanned)
        yield from _boxed(here, order, box, inside, sscc(number * _BOXES + place))
    yield PackingStarted(**here, order=order)
    yield PackingConfirmed(
        **here, order=order, revision=1, lines=(LineCount(line="1", ordered=DEVICES, scanned=DEVICES),),
        boxes=tuple(boxes), operators=dict.fromkeys(Role, "E7"),
    )  # fmt: skip


def _accepted(here: dict[str, Any], order: str, box: str, unit: Unit, scanned: int) -> Event:
    return Accepted(
        **here, order=order, line="1", sku="P13-128-BLK", mode=_USED, unit=unit, quantity=1, box=box, scanner="left",
        symbology="C0", line_scanned=scanned, line_pending=DEVICES - scanned, order_scanned=scanned,
        order_pending=DEVICES - scanned,
    )  # fmt: skip


def _boxed(here: dict[str, Any], order: str, box: str, inside: Sequence[Unit], label: str) -> Iterator[Event]:
    units = tuple(unit.id for unit in inside)
    contents = (Content(line="1", sku="P13-128-BLK", quantity=len(units), units=units),)
    yield BoxCreated(**here, box=box, order=order, mode=_USED, contents=contents)
    yield BoxSized(**here, box=box, order=order, size="M", label=label)
    yield BoxConfirmed(**here, box=box, order=order, mode=_USED, contents=contents, size=_SIZE, label=label)

"""Light, buzzer, bar and buttons on real GPIO lines, recorded from outside: signals.md#signal-table."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from statistics import median

from harness.codes import command, imei
from harness.warehouse import line
from tests.rig.bench import Case, RigBench
from tests.rig.kiosk import BADGE
from tests.rig.recording import Part, Recorder, check, rhythm
from tests.rig.scanners import keys

__all__ = ["CASES"]

BAR = (5, 6, 13, 19, 26)
SAVE_BUTTON, UNDO_BUTTON = 23, 24
ATTEMPTS = 3

S, L, TICK = 80, 400, 30

# signals.md#signal-table and #seen-not-only-heard, written down by hand: the light from the first sound on, until the
# next steady light is reached, and the buzzer's marks.
_DARK = ("dark", 100.0)
_FLASH = [("green", 150.0), ("dark", 80.0)]
_AMBER = [("amber", 150.0), ("dark", 80.0)]
_LAST_DARK = ("dark", 180.0)
REJECT: tuple[Sequence[Part], Sequence[int]] = ([("red", None)], [L, L, L])
OK_THEN_READY: tuple[Sequence[Part], Sequence[int]] = ([("green", 250.0), _DARK, ("blue", None)], [S])
OK_FROM_BLUE: tuple[Sequence[Part], Sequence[int]] = ([("green", 250.0), _DARK, ("green", None)], [S])
OK: tuple[Sequence[Part], Sequence[int]] = ([_DARK, ("green", 250.0), _DARK, ("green", None)], [S])
AGAIN: tuple[Sequence[Part], Sequence[int]] = ([("amber", 800.0), _DARK, ("green", None)], [S, L])
LINE_DONE: tuple[Sequence[Part], Sequence[int]] = (
    [_DARK, *_FLASH, ("green", 150.0), _LAST_DARK, ("green", None)],
    [S, S],
)
ORDER_DONE: tuple[Sequence[Part], Sequence[int]] = (
    [_DARK, *_FLASH * 2, ("green", 150.0), _LAST_DARK, ("green", None)],
    [S, S, S],
)
BOXED_THEN_BOXING: tuple[Sequence[Part], Sequence[int]] = (
    [("blue", 600.0), ("dark", 140.0), ("green", 500.0), ("blue", 500.0), ("green", 500.0)],
    [L, S],
)
SAVED: tuple[Sequence[Part], Sequence[int]] = ([_DARK, ("green", 800.0), _DARK, ("green", None)], [L])
CONFIRMED_THEN_READY: tuple[Sequence[Part], Sequence[int]] = (
    [_DARK, ("green", 1500.0), _DARK, ("blue", None)],
    [L, S, L],
)
REMOVED: tuple[Sequence[Part], Sequence[int]] = (
    [_DARK, *_AMBER * 2, ("amber", 150.0), ("dark", None), ("green", None)],
    [L, L],
)
WHERE_12: tuple[Sequence[Part], Sequence[int]] = ([("dark", None), ("green", None)], [TICK] * 3 + [L, S, S])
ALARM: tuple[Sequence[Part], Sequence[int]] = ([("red", 250.0), ("blue", 250.0)] * 3, [L, L, L, S, S] * 2)
FAULT_AGAIN: tuple[Sequence[Part], Sequence[int]] = (
    [_DARK, *[("red", 125.0), ("dark", 125.0)] * 4],
    [L, L, L, S, S],
)


def _prompt(*steady: Part) -> tuple[Sequence[Part], Sequence[int]]:
    """Return `prompt`, then this steady light."""
    return [("blue", 250.0), ("dark", None), *steady], [S, S, L]


class RecordedStation:
    """The kiosk's station, with its GPIO lines recorded. `off_ms` has each difference from the table."""

    _numbers = itertools.count(1)

    def __init__(self, bench: RigBench) -> None:
        self._bench = bench
        self.recorder = Recorder(bench.machine)
        self.off_ms: list[float] = []
        self.checked: list[str] = []
        bench.kiosk.publish_operator()

    # -- the centre --------------------------------------------------------------------------------------------

    def phones(self, count: int) -> list[str]:
        """Return IMEIs that no order has had before."""
        return [imei("49015420", next(self._numbers)) for _ in range(count)]

    def order(self, units: Sequence[str], *, cases: int = 0) -> str:
        """Publish an order of these phones and cases; return its id once the kiosk has taken it."""
        name = f"RIG-{next(self._numbers)}"
        self.publish(name, units, cases=cases)
        self._bench.kiosk.settle()
        return name

    def publish(
        self, name: str, units: Sequence[str], *, cases: int = 0, revision: int = 1, status: str = "open"
    ) -> None:
        lines = [line("1", "PHONE", len(units), units=[[unit] for unit in units])]
        if cases:
            lines.append(line("2", "CASE-13", cases, serialized=False))
        self._bench.kiosk.publish_order(name, *lines, revision=revision, status=status)

    def hold(self, order: str, unit: str) -> None:
        verdict = {"revision": 1, "action": "hold", "order": order, "unit": unit, "reason": "counted twice"}
        self._bench.kiosk.publish(f"agent/k1/verdict/V-{order}", verdict)

    @contextmanager
    def without_broker(self) -> Iterator[None]:
        self._bench.machine.run("systemctl stop mosquitto")
        try:
            yield
        finally:
            self._bench.machine.run("systemctl start mosquitto")
            self._bench.kiosk.listen()
            self.pause(3)

    @contextmanager
    def without_disk(self) -> Iterator[None]:
        """Fill the disk to what only root may use."""
        self._bench.machine.run("fallocate -l $(df --output=avail -B1 / | tail -1) /filler")
        try:
            yield
        finally:
            self._bench.machine.run("rm -f /filler")

    # -- scans ---------------------------------------------------------------------------------------------------

    def pause(self, seconds: float) -> None:
        self._bench.machine.pause(seconds)

    def leave(self) -> None:
        """Bring the station to where nobody is signed in and no order is open."""
        self.quietly(command("OUT"), BADGE, command("CLOSE"), command("OUT"))

    def scan(self, text: str) -> None:
        self._bench.scanners.type("us", keys(f"{text}\r"))

    def quietly(self, *texts: str) -> None:
        """Scan codes whose signals do not matter, far enough apart to be no bounce."""
        for text in texts:
            self.scan(text)
            self.pause(1.0)

    # -- what is seen and heard ----------------------------------------------------------------------------------

    def shows(self, name: str, wanted: tuple[Sequence[Part], Sequence[int]], text: str | None = None) -> None:
        """Scan a text, or wait for a signal that is on its way, and compare light and buzzer with the table."""
        light, marks = wanted
        if text is not None:
            self.pause(0.6)  # the same code sooner is a bounce
            self.recorder.now()
            self.scan(text)
        self.pause(1.5 + sum(mark + 80 for mark in marks) / 1000 + (1.0 if len(light) > 2 else 0.0))
        heard = self.recorder.buzzer()
        assert len(heard) == len(rhythm(marks)), f"buzzer of {name}: {heard}"
        self.off_ms += check(heard, rhythm(marks), f"buzzer of {name}")
        self.off_ms += check(self.recorder.light_with_buzzer(), light, f"light of {name}")
        self.checked.append(name)

    def is_steady(self, name: str, wanted: Sequence[Part], for_s: float) -> None:
        """Compare the steady light with the table, from the first whole part on."""
        self.recorder.now()
        self.pause(for_s)
        parts = self.recorder.light()[1:]
        start = next((place for place, (colour, _) in enumerate(parts) if colour == wanted[0][0]), 0)
        self.off_ms += check(parts[start:], wanted, f"light of {name}")
        self.checked.append(name)

    def bar(self) -> list[int]:
        return [self._bench.machine.line(pin) for pin in BAR]

    def said(self) -> str:
        times = f"{median(self.off_ms):.0f} ms off, at most {max(self.off_ms):.0f}"
        return f"{', '.join(self.checked)}; times {times}"


def patient(play: Callable[[RecordedStation], None]) -> Case:
    """Return a case that plays on a station that was just left; up to three times, each with orders of its own.

    In an emulated guest on a busy machine a thread may be late by more than a mark of the buzzer lasts. A wrong pattern
    is wrong each time.
    """

    @wraps(play)
    def case(bench: RigBench) -> str:
        for attempt in range(1, ATTEMPTS + 1):
            station = RecordedStation(bench)
            station.leave()
            try:
                play(station)
            except AssertionError:
                if attempt == ATTEMPTS:
                    raise
                continue
            break
        return station.said() + (f"; at attempt {attempt}" if attempt > 1 else "")

    return case


@patient
def every_signal(station: RecordedStation) -> None:
    """Every signal's light and buzzer against the signal table"""
    two, twelve = station.phones(2), station.phones(12)
    first, second = station.order(two, cases=2), station.order(twelve)
    station.is_steady("signed out", [("blue", 100.0), ("dark", 2900.0), ("blue", 100.0)], for_s=9.5)
    station.shows("reject", REJECT, "NOBODY-KNOWS-THIS")
    station.shows("ok", OK_THEN_READY, BADGE)
    station.shows("ok (order)", OK_FROM_BLUE, first)
    station.shows("ok (unit)", OK, two[0])
    station.shows("again", AGAIN, two[0])
    station.shows("line_done", LINE_DONE, two[1])
    station.shows("prompt (REMOVE)", _prompt(("amber", 125.0), ("dark", 125.0), ("amber", 125.0)), command("REMOVE"))
    station.shows("removed", REMOVED, two[1])
    station.shows("line_done (again)", LINE_DONE, two[1])
    station.shows("ok (product)", OK, "CASE-13")
    station.shows("order_done", ORDER_DONE, "CASE-13")
    assigning = _prompt(("blue", 500.0), ("dark", 500.0), ("blue", 500.0))
    station.shows("prompt (ROLE)", assigning, command("ROLE", "PICK"))
    station.shows("ok (assigned)", OK_FROM_BLUE, BADGE)
    station.shows("boxed", BOXED_THEN_BOXING, command("SAVE"))
    station.shows("saved", SAVED, command("SAVE"))
    packing = _prompt(("green", 500.0), ("dark", 500.0), ("green", 500.0))
    station.shows("prompt (PACK)", packing, command("PACK"))
    station.shows("confirmed", CONFIRMED_THEN_READY, command("CONFIRM"))
    station.quietly(second)
    station.shows("where (12)", WHERE_12, command("WHERE"))
    station.recorder.now()
    station.publish(second, twelve, revision=2, status="cancelled")
    station.shows("alarm", ALARM)


def led_bar(bench: RigBench) -> str:
    """The LED bar follows scanned ÷ ordered"""
    station = RecordedStation(bench)
    station.leave()
    phones = station.phones(5)
    station.quietly(BADGE, station.order(phones))
    assert station.bar() == [0, 0, 0, 0, 0]
    for number, phone in enumerate(phones, start=1):
        station.quietly(phone)
        assert station.bar() == [int(place < number) for place in range(5)], f"{station.bar()} after {number} of 5"
    return "0 to 5 of 5 LEDs"


def buttons(bench: RigBench) -> str:
    """Push-buttons: a line pulled to ground is the command's barcode"""
    station = RecordedStation(bench)
    station.leave()
    phones = station.phones(2)
    station.quietly(BADGE, station.order(phones), phones[0])
    for pin, wanted in ((SAVE_BUTTON, "boxing"), (SAVE_BUTTON, "scanning"), (UNDO_BUTTON, "boxing")):
        bench.machine.pull(pin, up=False)
        station.pause(0.3)
        bench.machine.pull(pin, up=True)
        bench.kiosk.wait_view(state=wanted)
        station.pause(1)
    return "SAVE, SAVE, UNDO: box created, confirmed, reopened"


@patient
def held_order(station: RecordedStation) -> None:
    """A verdict: alarm at once, then the steady light of a held order"""
    phones = station.phones(3)
    order = station.order(phones)
    station.quietly(BADGE, order, phones[0])
    station.recorder.now()
    station.hold(order, phones[0])
    station.shows("alarm", ALARM)
    station.shows("where (2)", ([("dark", None)], [TICK] * 3 + [S] * 2), command("WHERE"))
    station.is_steady("held", [("red", 500.0), ("blue", 500.0), ("red", 500.0)], for_s=3.0)


@patient
def offline(station: RecordedStation) -> None:
    """Broker down: an amber blip every 5 s over the steady light, and scanning goes on"""
    order = station.order(station.phones(1))
    station.quietly(BADGE)
    with station.without_broker():
        station.pause(3)
        blip: list[Part] = [("amber", 100.0), ("blue", 4900.0), ("amber", 100.0)]
        station.is_steady("offline", blip, for_s=12.0)
        station.shows("ok", OK_FROM_BLUE, order)


@patient
def disk_full(station: RecordedStation) -> None:
    """Disk full: fault, red at 4 Hz until a commit works again; then it recovers by itself"""
    order, other = station.order(station.phones(1)), station.order(station.phones(1))
    station.quietly(BADGE)
    with station.without_disk():
        # What is delivered is pruned first, and while that makes room scans are taken (mqtt.md#disk-reserve).
        station.quietly(order, command("CLOSE"))
        station.pause(3)
        station.shows("fault", FAULT_AGAIN, other)
    station.pause(5)
    station.shows("ok", OK_FROM_BLUE, other)


CASES: list[Case] = [every_signal, led_bar, buttons, held_order, offline, disk_full]

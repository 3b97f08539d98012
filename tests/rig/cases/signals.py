"""Light, buzzer, bar and buttons on real GPIO lines, recorded from outside and held against SPEC 4."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.rig.bench import Bench, Case
from tests.rig.scanners import keys
from tests.system.harness.codes import command, imei

__all__ = ["CASES"]

RED, GREEN, BLUE, BUZZER = 17, 27, 22, 18
BAR = (5, 6, 13, 19, 26)
SAVE_BUTTON, UNDO_BUTTON = 23, 24
TOLERANCE_MS = 45.0
BADGE = "BADGE-E7"

S, L, GAP, TICK = 80, 400, 80, 30
_COLOURS = {"000": "dark", "100": "red", "010": "green", "001": "blue", "110": "amber"}

Part = tuple[str, float | None]
"""A colour, or "on" and "off" of the buzzer, and for how many milliseconds; None: as long as it likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """SPEC 4's row of a signal: the light from its first change on, and the buzzer's marks."""

    light: Sequence[Part]
    buzzer: Sequence[int]


def flashes(colour: str, times: int) -> list[Part]:
    return [(colour, 150.0), ("dark", float(GAP))] * times


def stays(colour: str) -> Part:
    return (colour, None)


def at_2_hz(*colours: str) -> list[Part]:
    return [(colour, 250.0) for colour in colours] * 2


class Recording:
    """The lines' values from now on."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._from = len(self._lines())

    def changes(self) -> list[tuple[float, str]]:
        """(milliseconds, values of red, green, blue, buzzer), the first as it was at the start."""
        return self._lines()[max(0, self._from - 1) :]

    def light(self) -> list[Part]:
        return _parts([(at, _COLOURS.get(values[:3], values[:3])) for at, values in self.changes()])

    def buzzer(self) -> list[Part]:
        return _parts([(at, "on" if values[3] == "1" else "off") for at, values in self.changes()])

    def _lines(self) -> list[tuple[float, str]]:
        text = self._bench.machine.get("/run/gpio.log").decode()
        return [(float(at), values) for at, _, values in (line.partition(" ") for line in text.splitlines()) if values]


def _parts(changes: list[tuple[float, str]]) -> list[Part]:
    """Values with how long each lasted; equal ones in a row are one, the first and the last have no known end."""
    merged = [change for place, change in enumerate(changes) if place == 0 or changes[place - 1][1] != change[1]]
    lasted: list[Part] = [(value, until - at) for (at, value), (until, _) in pairwise(merged)]
    return lasted + [(value, None) for _, value in merged[-1:]]


def _close(found: Sequence[Part], wanted: Sequence[Part], what: str) -> None:
    """Raise AssertionError unless the colours are the same and every known time is near the wanted one."""
    text = f"{what}: {_text(found)} instead of {_text(wanted)}"
    assert [value for value, _ in found] == [value for value, _ in wanted], text
    for (_, lasted), (_, ms) in zip(found, wanted, strict=True):
        assert ms is None or lasted is None or abs(lasted - ms) <= TOLERANCE_MS, text


def _text(parts: Sequence[Part]) -> str:
    return " ".join(value if ms is None else f"{value} {ms:.0f}" for value, ms in parts)


def _rhythm(marks: Sequence[int]) -> list[Part]:
    parts: list[Part] = [stays("off")]
    for mark in marks:
        parts += [("on", float(mark)), ("off", float(GAP))]
    return [*parts[:-1], stays("off")]


class Bench4:
    """A bench with its lines recorded; makes scans and holds the recording against what SPEC 4 says."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.seen: list[str] = []
        self._revision = int(time.time())
        lines = " ".join(map(str, (RED, GREEN, BLUE, BUZZER)))
        bench.machine.run("pkill gpio_record; rm -f /run/gpio.log", check=False)
        bench.machine.start(f"/opt/rig/gpio_record {lines}", "/run/gpio.log")
        bench.machine.until("test -s /run/gpio.log")

    def tell(self) -> None:
        """What the centre tells every kiosk: the operator, a box size."""
        kiosk = self.bench.kiosk
        operator = {
            "operator": "E7",
            "name": "Operator",
            "badges": [BADGE],
            "roles": ["picking", "packing", "shipping"],
        }
        kiosk.publish("reference/operators", {"revision": self._revision, "items": [operator]})
        size = {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}
        kiosk.publish("reference/boxes", {"revision": self._revision, "items": [size]})

    def order(
        self, name: str, *, status: str = "open", revision: int = 1, units: Sequence[str], cases: int = 0
    ) -> None:
        lines = [{"line": "1", "sku": "PHONE", "flow": "used", "serialized": True, "quantity": len(units)}]
        lines[0]["units"] = [[unit] for unit in units]
        if cases:
            lines.append({"line": "2", "sku": "CASE-13", "flow": "used", "serialized": False, "quantity": cases})
        manifest = {"order": name, "revision": revision, "type": "normal", "status": status, "lines": lines}
        self.bench.kiosk.publish(f"order/{name}", manifest)

    def scan(self, text: str) -> None:
        self.bench.scanners.type("us", keys(f"{text}\r"))

    def quietly(self, *texts: str) -> None:
        """Scans whose signals do not matter."""
        for text in texts:
            self.scan(text)
            time.sleep(1.5)

    def expect(self, name: str, text: str | None, wanted: Wanted, *, play_s: float = 2.6) -> None:
        """Scan, and hold what is then seen and heard against the table; no text: it comes by itself."""
        time.sleep(0.6)  # beyond the time in which the same barcode is the scanner's repetition
        recording = Recording(self.bench)
        if text is not None:
            self.scan(text)
        time.sleep(play_s)
        light = recording.light()[: len(wanted.light)]
        _close(light, wanted.light, f"light of {name}")
        _close(recording.buzzer()[: 2 * len(wanted.buzzer) + 1], _rhythm(wanted.buzzer), f"buzzer of {name}")
        self.seen.append(name)


def every_signal(bench: Bench) -> str:
    """Every signal's light and buzzer, as a time series of the lines' values"""
    station = Bench4(bench)
    station.tell()
    phones = [imei("49015420", number) for number in range(101, 103)]
    more = [imei("49015420", number) for number in range(201, 213)]
    station.order("RIG-1", units=phones, cases=2)
    station.order("RIG-2", units=more)
    bench.kiosk.wait_view(state="ready", signed_in=False)
    expect = station.expect
    unknown = Wanted(light=[stays("dark"), stays("red")], buzzer=[L, L, L])
    expect("reject", "NOBODY-KNOWS-THIS", unknown)
    expect("ok, signed in", BADGE, Wanted(light=[stays("red"), ("green", 250.0), stays("blue")], buzzer=[S]))
    expect("ok, order", "RIG-1", Wanted(light=[stays("blue"), stays("green")], buzzer=[S]))
    expect("ok, unit", phones[0], Wanted(light=[stays("green")], buzzer=[S]))
    expect("again", phones[0], Wanted(light=[stays("green"), ("amber", 800.0), stays("green")], buzzer=[S, L]))
    line_done = [stays("green"), *flashes("green", 2)[1:], stays("green")]
    expect("line_done", phones[1], Wanted(light=line_done, buzzer=[S, S]))
    asked = [stays("green"), ("blue", 250.0), ("dark", None), ("amber", 125.0), ("dark", 125.0), ("amber", 125.0)]
    expect("prompt", command("REMOVE"), Wanted(light=asked, buzzer=[S, S, L]))
    bench.kiosk.mark()
    # The amber of REMOVE pending runs into the amber of the signal at any point of its rhythm: only the end is looked at.
    station.quietly(phones[1])
    removed(station, phones)
    order_done = [stays("green"), *flashes("green", 3)[1:], stays("green")]
    station.quietly("CASE-13")
    expect("order_done", "CASE-13", Wanted(light=order_done, buzzer=[S, S, S]))
    boxed = [stays("green"), ("blue", 600.0), ("dark", None), ("green", 500.0), ("blue", 500.0)]
    expect("boxed", command("SAVE"), Wanted(light=boxed, buzzer=[L, S]))
    station.quietly(command("CANCEL"))
    expect("boxed", command("SAVE"), Wanted(light=boxed, buzzer=[L, S]))
    return f"{len(station.seen)} signals: {', '.join(station.seen)}"


def removed(station: Bench4, phones: Sequence[str]) -> None:
    station.quietly(phones[1])


CASES: list[Case] = [every_signal]

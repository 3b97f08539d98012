"""Signals: what an operator sees and hears. The names, and the light and rhythm of each, as data.

The text under each member says when it is given. `make docs` makes the tables of `signals.md#signal-table` and
`signals.md#steady-lights` from it and from the patterns.

Times are in milliseconds. A signal is a sequence of steps that is played once; a steady light is one that is repeated
until something newer is shown. No two signals differ by colour alone: their rhythms differ too.
"""

from collections.abc import Iterator, Set
from enum import Enum, StrEnum

from msgspec import Struct

__all__ = [
    "AFTERGLOW",
    "DARK_MS",
    "GAP_MS",
    "IDENTIFY",
    "LONG_MS",
    "OFFLINE_BLIP",
    "PATTERNS",
    "SHORT_MS",
    "STEADY",
    "Colour",
    "Pattern",
    "Signal",
    "Steady",
    "Step",
    "colours_of",
    "steps_of",
]

SHORT_MS = 80
LONG_MS = 400
GAP_MS = 80
DARK_MS = 100
"""How long it is dark before and after a signal (`signals.md#seen-not-only-heard`)."""


class Signal(StrEnum):
    """What a scan or an event of the centre is answered with (`signals.md#one-signal-per-scan`)."""

    OK = "ok"
    """A unit, product, badge, order, mode, size or the like was accepted."""
    LINE_DONE = "line_done"
    """The line is complete."""
    ORDER_DONE = "order_done"
    """Every line of the order is complete."""
    BOXED = "boxed"
    """The box is created; its size or a second SAVE is awaited."""
    SAVED = "saved"
    """The box is confirmed."""
    CONFIRMED = "confirmed"
    """Packing is confirmed."""
    PROMPT = "prompt"
    """Something is awaited next: after ROLE, QTY, REMOVE, PACK and the first CANCEL."""
    AGAIN = "again"
    """The unit is counted already, or the choice is already made."""
    REMOVED = "removed"
    """Something was voided, taken out or reopened."""
    REJECT = "reject"
    """The scan was refused."""
    FAULT = "fault"
    """The storage or the hardware failed; the scan was not taken."""
    ALARM = "alarm"
    """The centre refused something that was accepted earlier, or changed the order under the operator."""
    WHERE = "where"
    """WHERE was scanned."""


class Steady(StrEnum):
    """The light between signals. Where several apply, signed out comes first, then removing, held and the state."""

    SIGNED_OUT = "signed_out"
    """Nobody is signed in."""
    READY = "ready"
    """The state is `ready`."""
    ASSIGNING = "assigning"
    """The state is `assigning`."""
    SCANNING = "scanning"
    """The state is `scanning`."""
    BOXING = "boxing"
    """The state is `boxing`."""
    PACKING = "packing"
    """The state is `packing`."""
    REMOVING = "removing"
    """REMOVE is pending."""
    HELD = "held"
    """The open order is held."""


class Colour(Enum):
    """Red, green and blue, each 0 or 1."""

    OFF = (0, 0, 0)
    RED = (1, 0, 0)
    GREEN = (0, 1, 0)
    BLUE = (0, 0, 1)
    AMBER = (1, 1, 0)


class Step(Struct, frozen=True):
    """What the light and the buzzer do at once."""

    ms: int
    """For how long."""
    colour: Colour
    buzz: bool
    """Whether the buzzer sounds."""


class Pattern(Struct, frozen=True):
    """The light and the buzzer of a signal, side by side."""

    light: tuple[tuple[Colour, int], ...]
    """(colour, ms) one after the other."""
    buzzer: str
    """`S` for a short sound, `L` for a long one, with gaps of `GAP_MS`."""


def _flashes(colour: Colour, ms: int, times: int) -> tuple[tuple[Colour, int], ...]:
    return ((colour, ms), (Colour.OFF, GAP_MS)) * times


PATTERNS: dict[Signal, Pattern] = {
    Signal.OK: Pattern(((Colour.GREEN, 250),), "S"),
    Signal.LINE_DONE: Pattern(_flashes(Colour.GREEN, 150, 2), "SS"),
    Signal.ORDER_DONE: Pattern(_flashes(Colour.GREEN, 150, 3), "SSS"),
    Signal.BOXED: Pattern(((Colour.BLUE, 600),), "LS"),
    Signal.SAVED: Pattern(((Colour.GREEN, 800),), "L"),
    Signal.CONFIRMED: Pattern(((Colour.GREEN, 1500),), "LSL"),
    Signal.PROMPT: Pattern(((Colour.BLUE, 250),), "SSL"),
    Signal.AGAIN: Pattern(((Colour.AMBER, 800),), "SL"),
    Signal.REMOVED: Pattern(_flashes(Colour.AMBER, 150, 3), "LL"),
    Signal.REJECT: Pattern((), "LLL"),
    Signal.FAULT: Pattern((), "LLLSS"),
    Signal.ALARM: Pattern((), "LLLSSLLLSS"),
    Signal.WHERE: Pattern((), ""),
}
"""The light and the buzzer of each signal. `steps_of` makes those of `WHERE` from the pending count."""

AFTERGLOW: dict[Signal, tuple[Step, ...]] = {
    Signal.REJECT: (Step(1000, Colour.RED, False),),
    Signal.FAULT: (Step(125, Colour.RED, False), Step(125, Colour.OFF, False)),
    Signal.ALARM: (Step(250, Colour.RED, False), Step(250, Colour.BLUE, False)),
}
"""The light of these signals, repeated from their start until the next scan; for `FAULT`, until the fault is over."""

STEADY: dict[Steady, tuple[Step, ...]] = {
    Steady.SIGNED_OUT: (Step(100, Colour.BLUE, False), Step(2900, Colour.OFF, False)),
    Steady.READY: (Step(1000, Colour.BLUE, False),),
    Steady.ASSIGNING: (Step(500, Colour.BLUE, False), Step(500, Colour.OFF, False)),
    Steady.SCANNING: (Step(1000, Colour.GREEN, False),),
    Steady.BOXING: (Step(500, Colour.GREEN, False), Step(500, Colour.BLUE, False)),
    Steady.PACKING: (Step(500, Colour.GREEN, False), Step(500, Colour.OFF, False)),
    Steady.REMOVING: (Step(125, Colour.AMBER, False), Step(125, Colour.OFF, False)),
    Steady.HELD: (Step(500, Colour.RED, False), Step(500, Colour.BLUE, False)),
}
"""Each of these is repeated (`signals.md#steady-lights`)."""

OFFLINE_BLIP = (Step(100, Colour.AMBER, False), 5000)
"""While the uplink is offline: this step, and how often it interrupts any steady light, in milliseconds."""

IDENTIFY = (Step(100, Colour.BLUE, False), Step(100, Colour.AMBER, False)) * 25
"""The answer to the request `identify`: five seconds of quick light, and no sound."""

_WHERE_TICKS = "ttt"
_BUZZ_MS = {"S": SHORT_MS, "L": LONG_MS, "t": 30}


def _where_rhythm(pending: int) -> str:
    if pending <= 0:
        return _WHERE_TICKS + "SSS"
    if pending > 99:
        return _WHERE_TICKS + "L" * 9
    return _WHERE_TICKS + "L" * (pending // 10) + "S" * (pending % 10)


def _edges(light: tuple[tuple[Colour, int], ...], rhythm: str) -> Iterator[Step]:
    """Yield the steps of a light and a sound side by side: a new one wherever either changes."""
    sound = [part for mark in rhythm for part in ((True, _BUZZ_MS[mark]), (False, GAP_MS))]
    lights = list(light)
    while lights or sound:
        colour, light_ms = lights[0] if lights else (Colour.OFF, sound[0][1])
        buzz, sound_ms = sound[0] if sound else (False, light_ms)
        ms = min(light_ms, sound_ms)
        yield Step(ms, colour, buzz)
        if lights:
            lights[0:1] = [(colour, light_ms - ms)] if light_ms > ms else []
        if sound:
            sound[0:1] = [(buzz, sound_ms - ms)] if sound_ms > ms else []


def colours_of(signal: Signal) -> frozenset[Colour]:
    """Return the colours of a signal's light."""
    light = {colour for colour, _ in PATTERNS[signal].light} | {step.colour for step in AFTERGLOW.get(signal, ())}
    return frozenset(light - {Colour.OFF})


def steps_of(signal: Signal, *, pending: int = 0, before: Set[Colour] = frozenset()) -> tuple[Step, ...]:
    """Return the steps of a signal. `pending` is the number of pieces still to scan, which `WHERE` makes heard.

    `before` are the colours of the light that the signal interrupts: if its own is one of them, its light begins
    `DARK_MS` late. Another `DARK_MS` follow, unless the light is repeated. (`signals.md#seen-not-only-heard`)
    The light of a signal in `AFTERGLOW` is repeated while the buzzer sounds.
    """
    pattern = PATTERNS[signal]
    rhythm = _where_rhythm(pending) if signal is Signal.WHERE else pattern.buzzer
    light = pattern.light
    if signal in AFTERGLOW:
        total_ms = sum(_BUZZ_MS[mark] + GAP_MS for mark in rhythm)
        loop = AFTERGLOW[signal]
        period_ms = sum(step.ms for step in loop)
        light = tuple((step.colour, step.ms) for step in loop) * -(-total_ms // period_ms)
    if not colours_of(signal).isdisjoint(before):
        light = ((Colour.OFF, DARK_MS), *light)
    end = () if signal in AFTERGLOW else (Step(DARK_MS, Colour.OFF, False),)
    return (*_edges(light, rhythm), *end)

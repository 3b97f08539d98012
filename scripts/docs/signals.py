"""The signals and the steady lights, computed from the patterns in `agent.contract.signals`."""

from collections.abc import Sequence

from agent.contract.signals import (
    AFTERGLOW,
    DARK_MS,
    GAP_MS,
    LONG_MS,
    OFFLINE_BLIP,
    PATTERNS,
    SHORT_MS,
    STEADY,
    Colour,
    Pattern,
    Signal,
    Steady,
    Step,
    colours_of,
)
from scripts.docs.docstrings import attribute_docs
from scripts.docs.markdown import code, table

__all__ = ["lengths", "signals", "steady"]

_BLIP_MS = 200
"""Light that is on for no longer than this, once in a long while, is called a blip."""


def lengths() -> str:
    """Return how long the buzzer's sounds are, and the dark around a signal."""
    return f"S is {SHORT_MS} ms, L is {LONG_MS} ms, gaps are {GAP_MS} ms. The dark around a signal is {DARK_MS} ms.\n"


def signals() -> str:
    """Return a table of the signals: when each is given, its light and its sound."""
    when = attribute_docs(Signal)
    rows = ((code(signal), when[signal.name], _light(signal), _buzzer(signal)) for signal in Signal)
    return table(("signal", "when", "light", "buzzer"), rows)


def steady() -> str:
    """Return a table of the steady lights, the offline blip last."""
    situations = attribute_docs(Steady)
    rows = [(situations[one.name], _repeated(steps), _hidden_by(steps)) for one, steps in STEADY.items()]
    blip, every_ms = OFFLINE_BLIP
    rows.append(("Uplink offline, over any of these", _blip(blip, every_ms), "–"))
    return table(("situation", "light", "dark comes before"), rows)


def _hidden_by(steps: Sequence[Step]) -> str:
    """Return the signals that have a colour of this light."""
    colours = {step.colour for step in steps}
    return ", ".join(code(one) for one in Signal if colours & colours_of(one)) or "–"


# -- lights ------------------------------------------------------------------------------------------------------


def _light(signal: Signal) -> str:
    if signal in AFTERGLOW:
        end = "cleared" if signal is Signal.FAULT else "the next scan"
        return f"{_repeated(AFTERGLOW[signal])} until {end}"
    return _once(PATTERNS[signal])


def _once(pattern: Pattern) -> str:
    flashes = [(colour, ms) for colour, ms in pattern.light if colour is not Colour.OFF]
    if not flashes:
        return "–"
    (colour, ms), times = flashes[0], len(flashes)
    assert flashes == [(colour, ms)] * times, "a light of several colours or lengths needs words of its own"
    return f"{_name(colour)} {f'{times} × ' if times > 1 else ''}{_duration(ms)}"


def _repeated(steps: Sequence[Step]) -> str:
    """Return what a sequence that is repeated without end looks like."""
    if len(steps) == 1:
        return _name(steps[0].colour)
    period_ms = sum(step.ms for step in steps)
    lit = [step for step in steps if step.colour is not Colour.OFF]
    if len(lit) == 1 and lit[0].ms <= _BLIP_MS < period_ms // 2:
        return _blip(lit[0], period_ms)
    return f"{'/'.join(_name(step.colour) for step in lit)} {1000 / period_ms:g} Hz"


def _blip(step: Step, every_ms: int) -> str:
    return f"{_name(step.colour)} for {_duration(step.ms)}, every {_duration(every_ms)}"


def _name(colour: Colour) -> str:
    return colour.name.lower()


def _duration(ms: int) -> str:
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms} ms"


# -- sounds ------------------------------------------------------------------------------------------------------


def _buzzer(signal: Signal) -> str:
    if signal is Signal.WHERE:
        return "see [WHERE](#where-am-i)"
    rhythm = PATTERNS[signal].buzzer
    half = rhythm[: len(rhythm) // 2]
    # Ten sounds in a row are easier to read as twice five.
    if len(rhythm) > 5 and rhythm == half * 2:
        return f"{' '.join(half)}, twice"
    return " ".join(rhythm)

"""Signals in words, for those who draw them: what the light does and how the buzzer sounds. Pure."""

from agent.contract.signals import AFTERGLOW, PATTERNS, Colour, Signal

__all__ = ["beeps", "light_word"]


def light_word(signal: Signal) -> str:
    """The signal's colours: `green`, `red/blue`; empty where it has no light of its own."""
    afterglow = AFTERGLOW.get(signal)
    shown = [step.colour for step in afterglow] if afterglow else [colour for colour, _ in PATTERNS[signal].light]
    return "/".join(colour.name.lower() for colour in dict.fromkeys(shown) if colour is not Colour.OFF)


def beeps(signal: Signal, pending: int, *, short: str, long: str) -> str:
    """The buzzer's rhythm with a mark for each beep; of `where`, whose rhythm is a number, that number."""
    if signal is Signal.WHERE:
        return f"ticks {max(pending, 0)}"
    return " ".join(short if mark == "S" else long for mark in PATTERNS[signal].buzzer)

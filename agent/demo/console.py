"""The demo in lines: one for each signal, each event, and everything worth saying."""

import queue
import threading
from typing import Self, TextIO

from msgspec import Struct

from agent.contract.reasons import Reason
from agent.contract.signals import AFTERGLOW, PATTERNS, Colour, Signal
from agent.demo.event_summary import EventSummary

__all__ = ["Answer", "Console", "event_line", "signal_line"]

_CLOSE_S = 5.0
_ESCAPES = {Colour.RED: 91, Colour.GREEN: 92, Colour.AMBER: 93, Colour.BLUE: 94}
"""Bright foreground colours of ECMA-48."""


class Answer(Struct, frozen=True, kw_only=True):
    """A signal. `typed` is what was scanned for it, None if the centre caused it; `pending` is what WHERE tells."""

    typed: str | None
    signal: Signal
    reason: Reason | None
    pending: int


def signal_line(answer: Answer) -> str:
    """Return a signal on one line: what was typed, the signal, its light and buzzer in words, the reason."""
    what = answer.reason or ("still pending" if answer.signal is Signal.WHERE else "")
    light = "/".join(colour.name.lower() for colour in _colours(answer.signal)) or "-"
    typed = "(the centre)" if answer.typed is None else answer.typed
    return f"scan   {typed:<20} {answer.signal:<11} light {light:<8} buzzer {_rhythm(answer):<19} {what}".rstrip()


def event_line(event: EventSummary) -> str:
    """Return an event on one line."""
    return f"event  {event.sequence:012d} {event.kind:<24} {event.text}".rstrip()


def _colours(signal: Signal) -> list[Colour]:
    """Return the colours of a signal's light, each once; none if it has no light of its own."""
    afterglow = AFTERGLOW.get(signal)
    shown = [step.colour for step in afterglow] if afterglow else [colour for colour, _ in PATTERNS[signal].light]
    return [colour for colour in dict.fromkeys(shown) if colour is not Colour.OFF]


def _rhythm(answer: Answer) -> str:
    if answer.signal is Signal.WHERE:
        return f"ticks {max(answer.pending, 0)}"
    return " ".join(PATTERNS[answer.signal].buzzer)


class Console:
    """Prints lines in the order in which they are handed over. Context-managed.

    Any thread may hand over a line, and none waits for the output. At a terminal, signals have their colour.
    """

    def __init__(self, out: TextIO) -> None:
        self.is_terminal = out.isatty()
        self._out = out
        self._texts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="demo console", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Print what is left."""
        self._texts.put(None)
        self._thread.join(_CLOSE_S)

    def say(self, text: str) -> None:
        self._texts.put(f"{text}\n")

    def prompt(self) -> None:
        """Ask for the next scan; only at a terminal."""
        if self.is_terminal:
            self._texts.put("scan>  ")

    def signal(self, answer: Answer) -> None:
        line, colours = signal_line(answer), _colours(answer.signal)
        self.say(f"\x1b[{_ESCAPES[colours[0]]}m{line}\x1b[0m" if self.is_terminal and colours else line)

    def event(self, event: EventSummary) -> None:
        self.say(event_line(event))

    def _write(self) -> None:
        try:
            while (text := self._texts.get()) is not None:
                self._out.write(text)
                self._out.flush()
        except (OSError, ValueError):  # nobody reads it any more; a closed stream raises ValueError
            return

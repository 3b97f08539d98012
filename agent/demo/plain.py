"""The demonstration without a terminal: one line for each scan, each event, each thing worth saying."""

import queue
import threading
from collections.abc import Callable
from typing import TextIO

from agent.contract.signals import Signal
from agent.demo.board import Answer, Arrival, Caption, Entry, Note
from agent.demo.hints import Hint
from agent.demo.telling import beeps, light_word

__all__ = ["PlainLines", "line_of"]

_CLOSE_S = 5.0


def line_of(entry: Entry) -> str:
    """An entry for a person, on one line."""
    match entry:
        case Answer():
            what = entry.reason or ("still pending" if entry.signal is Signal.WHERE else "")
            light = light_word(entry.signal) or "-"
            rhythm = beeps(entry.signal, entry.pending, short="S", long="L")
            typed = entry.typed if entry.typed is not None else "(the centre)"
            return f"scan   {typed:<20} {entry.signal:<11} light {light:<8} buzzer {rhythm:<19} {what}".rstrip()
        case Arrival():
            return f"event  {entry.sequence:012d} {entry.kind:<24} {entry.summary}".rstrip()
        case Caption(scene, say):
            return f"       {say}" if say else f"\n== {scene}"
        case Note(text):
            return f"       {text}"


class PlainLines:
    """Writes lines from a thread of its own; `with_hints`, after each answer, what can be scanned next."""

    def __init__(self, out: TextIO, *, with_hints: bool) -> None:
        self._out = out
        self._with_hints = with_hints
        self._entries: queue.SimpleQueue[tuple[Entry, Hint | None] | None] = queue.SimpleQueue()
        self._hint: Callable[[], Hint | None] = lambda: None
        self._thread = threading.Thread(target=self._write, name="plain lines", daemon=True)

    def take(self, entry: Entry) -> None:
        # What comes next is asked now: when the line is written, the next scan may have been taken already.
        hint = self._hint() if self._with_hints and isinstance(entry, Answer) else None
        self._entries.put((entry, hint))

    def open(self, hint: Callable[[], Hint | None]) -> None:
        self._hint = hint
        self._thread.start()

    @property
    def is_writing(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Write what is left."""
        self._entries.put(None)
        self._thread.join(_CLOSE_S)

    def _write(self) -> None:
        try:
            while (item := self._entries.get()) is not None:
                entry, hint = item
                self._out.write(f"{line_of(entry)}\n")
                if hint is not None:
                    self._out.write(f"next   {hint.say}: {' · '.join(hint.words)}\n")
                self._out.flush()
        except (OSError, ValueError):  # nobody reads it any more; a closed stream raises ValueError
            return

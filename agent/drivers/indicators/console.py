"""An indicator for people at a terminal: one readable line per signal."""

import queue
import sys
import threading
from typing import TextIO

from agent.contract.reasons import Reason
from agent.contract.signals import PATTERNS, Colour, Signal
from agent.drivers.indicators.indicator import SignalsOnly

__all__ = ["ConsoleIndicator"]

_LINES_MAX = 1000
"""How many lines may wait for a terminal that is blocked (Ctrl-S, a full pipe); more are dropped."""

_CLOSE_S = 1.0

_LIGHTS = {
    **{
        signal: next((colour for colour, _ in pattern.light if colour is not Colour.OFF), None)
        for signal, pattern in PATTERNS.items()
    },
    Signal.REJECT: Colour.RED,
    Signal.FAULT: Colour.RED,
    Signal.ALARM: Colour.RED,
}


class ConsoleIndicator(SignalsOnly):
    """Writes one line per signal to a stream (default: standard output), from a thread of its own.

    A line has the station, light and signal, then the reason (for `where` the pending count), then the buzzer's rhythm.
    """

    def __init__(self, *, station: str, stream: TextIO | None = None) -> None:
        super().__init__()
        self._station = station
        self._stream = sys.stdout if stream is None else stream
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._write, name=f"console {station}", daemon=True)
        self._thread.start()

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        if self._lines.qsize() < _LINES_MAX:
            self._lines.put(_line(self._station, signal, reason, pending))
        else:
            self.fault = "the terminal takes no more lines"

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._lines.put(None)
        self._thread.join(_CLOSE_S)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError) as exc:  # a closed stream raises ValueError
                self.fault = str(exc)
            else:
                self.fault = None


def _line(station: str, signal: Signal, reason: Reason | None, pending: int) -> str:
    colour = _LIGHTS[signal]
    light = colour.name.lower() if colour else ""
    what = reason or (f"{pending} to go" if signal is Signal.WHERE else "")
    return f"{station}  {light:<5}  {signal:<10}  {what:<19}  {PATTERNS[signal].buzzer}".rstrip() + "\n"

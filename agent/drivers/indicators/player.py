"""Plays signals on a lamp, in one thread per indicator, so that no caller waits for a light."""

import queue
import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from agent.contract.reasons import Reason
from agent.contract.signals import Colour, Signal, Steady
from agent.drivers.indicators.indicator import Indicator
from agent.drivers.indicators.sequencer import Sequencer
from agent.errors import DeviceError

__all__ = ["Lamp", "Player"]

_CLOSE_S = 1.0
"""How long `close` waits for the thread, so that a device that hangs does not hang the stop."""

_CALLS_MAX = 1000
"""How many calls may wait for a device that hangs; more are dropped."""


class Lamp(Protocol):
    """A light with a buzzer and perhaps an LED bar. For one thread. Methods raise DeviceError."""

    def set(self, colour: Colour, buzz: bool) -> None:
        """Show the colour, and sound the buzzer or not, until the next call."""

    def bar(self, fraction: float) -> None:
        """Light this fraction of the LED bar, 0 to 1. No-op without a bar."""

    def close(self) -> None:
        """Switch everything off and close the device. Idempotent."""


class Player(Indicator):
    """Plays the signals of `agent.contract.signals` on a lamp, which it owns."""

    def __init__(self, lamp: Lamp, *, name: str = "indicator") -> None:
        super().__init__()
        self._lamp = lamp
        self._sequencer = Sequencer()
        # Callers only put calls into the queue. Sequencer and lamp belong to the thread.
        self._calls: queue.SimpleQueue[Callable[[], bool] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._play, name=name, daemon=True)
        self._thread.start()

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        self._put(lambda: self._sequencer.play(signal, pending=pending))

    def scan_seen(self) -> None:
        self._put(self._sequencer.scan_seen)

    def steady(self, light: Steady) -> None:
        self._put(lambda: self._sequencer.steady(light))

    def offline(self, is_offline: bool) -> None:
        self._put(lambda: self._sequencer.offline(is_offline))

    def bar(self, scanned: int, ordered: int) -> None:
        self._put(lambda: self._show_bar(min(max(scanned / ordered, 0.0), 1.0) if ordered > 0 else 0.0))

    def identify(self) -> None:
        self._put(self._sequencer.identify)

    def clear_fault(self) -> None:
        self._put(self._sequencer.clear_fault)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._calls.put(None)
        self._thread.join(_CLOSE_S)

    def _put(self, call: Callable[[], bool]) -> None:
        if self._calls.qsize() < _CALLS_MAX:
            self._calls.put(call)
        else:
            self.fault = "the device does not answer"

    def _play(self) -> None:
        try:
            while self._play_step():
                pass
        finally:
            self._try(self._lamp.close)

    def _play_step(self) -> bool:
        """Show one step until its time is over or a call makes it obsolete; return False at the end."""
        step = self._sequencer.step()
        self._try(lambda: self._lamp.set(step.colour, step.buzz))
        until = monotonic() + step.ms / 1000
        while (left_s := until - monotonic()) > 0:
            try:
                call = self._calls.get(timeout=left_s)
            except queue.Empty:
                return True
            if call is None:
                return False
            if call():
                return True
        return True

    def _show_bar(self, fraction: float) -> bool:
        self._try(lambda: self._lamp.bar(fraction))
        return False

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except DeviceError as exc:
            self.fault = str(exc)
        else:
            self.fault = None

"""Decides which light and sound come next. Pure: it yields steps with durations, and has no clock.

A signal is played once, with dark around it where it would not be seen otherwise. It is followed by its afterglow while
that lasts (`reject` and `alarm` until the next scan; `fault` until it is cleared, also after other signals), else by
the steady light with the offline blip over it.
"""

from collections import deque

from agent.contract.signals import AFTERGLOW, IDENTIFY, OFFLINE_BLIP, STEADY, Colour, Signal, Steady, Step, steps_of

__all__ = ["Sequencer"]

_DARK = (Step(1000, Colour.OFF, False),)
_BLIP, _BLIP_EVERY_MS = OFFLINE_BLIP


class Sequencer:
    """The steps of one lamp. Methods that change something return whether the step being shown is now obsolete.

    (`signals.md#signal-table`, `signals.md#steady-lights`)
    """

    def __init__(self) -> None:
        self._once: deque[Step] = deque()
        self._playing = False  # the last step belongs to a signal
        self._lasting: Signal | None = None
        self._faulty = False
        self._steady: tuple[Step, ...] = _DARK
        self._offline = False
        self._loop: tuple[Step, ...] = _DARK
        self._next = 0
        self._rest: Step | None = None
        self._until_blip_ms = 0
        self._shown = Colour.OFF
        self._ended: tuple[Step, ...] = ()  # what the last call of `scan_seen` or `clear_fault` has ended

    def play(self, signal: Signal, *, pending: int = 0) -> bool:
        """Play a signal from its first step, in place of what is playing. (`signals.md#newest-signal-wins`)"""
        before = {self._shown, *(step.colour for step in (*self._steady, *self._loop, *self._ended))}
        self._once = deque(steps_of(signal, pending=pending, before=before))
        self._ended = ()
        self._lasting = signal if signal in AFTERGLOW and signal is not Signal.FAULT else None
        self._faulty = self._faulty or signal is Signal.FAULT
        self._playing = True
        self._settle()
        self._next = 0
        self._rest = None
        return True

    def identify(self) -> bool:
        """Blink once through, like a signal without afterglow."""
        self._once = deque(IDENTIFY)
        self._playing = True
        self._next = 0
        self._rest = None
        return True

    def scan_seen(self) -> bool:
        """The next scan was read: end the afterglow, except that of a fault. A signal that is playing continues."""
        self._ended = self._loop
        self._lasting = None
        return self._settle()

    def clear_fault(self) -> bool:
        """End the afterglow of `fault`."""
        self._ended = self._loop
        self._faulty = False
        return self._settle()

    def steady(self, light: Steady) -> bool:
        """Set the light between signals."""
        self._steady = STEADY[light]
        return self._settle()

    def offline(self, is_offline: bool) -> bool:
        """Set whether the offline blip interrupts the steady light."""
        if self._offline == is_offline:
            return False
        self._offline = is_offline
        self._until_blip_ms = 0
        return self._is_steady

    def step(self) -> Step:
        """Return the next step. Show it for its whole time unless a change makes it obsolete."""
        step = self._next_step()
        self._shown = step.colour
        return step

    @property
    def _is_steady(self) -> bool:
        return not self._playing and self._loop is self._steady

    def _next_step(self) -> Step:
        if self._once:
            return self._once.popleft()
        self._playing = False
        if not (self._offline and self._is_steady):
            return self._of_loop()
        if self._until_blip_ms <= 0:
            self._until_blip_ms = _BLIP_EVERY_MS - _BLIP.ms
            return _BLIP
        step = self._of_loop()
        if step.ms > self._until_blip_ms:
            self._rest = Step(step.ms - self._until_blip_ms, step.colour, step.buzz)
            step = Step(self._until_blip_ms, step.colour, step.buzz)
        self._until_blip_ms -= step.ms
        return step

    def _of_loop(self) -> Step:
        if self._rest is not None:
            step, self._rest = self._rest, None
            return step
        step = self._loop[self._next]
        self._next = (self._next + 1) % len(self._loop)
        return step

    def _settle(self) -> bool:
        """Choose the steps that repeat after the signal; return whether the step being shown is now obsolete."""
        if self._lasting is not None:
            loop = AFTERGLOW[self._lasting]
        elif self._faulty:
            loop = AFTERGLOW[Signal.FAULT]
        else:
            loop = self._steady
        if loop is self._loop:
            return False
        self._loop = loop
        self._next = 0
        self._rest = None
        return not self._playing

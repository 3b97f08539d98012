"""The demonstration playing itself: types the script into the scanner's pipe and checks each signal."""

import os
import threading
import time
from collections.abc import Callable, Iterable

from msgspec import Struct

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.board import Answer, Board
from agent.demo.script import Scene, Step

__all__ = ["EVEN", "FAST", "SLOW", "Pace", "Play"]

_ANSWER_S = 10.0
_ALARM_S = 10.0


class Pace(Struct, frozen=True, kw_only=True):
    """How long, in seconds, a person may look: at a scene's title, at what is about to happen, between two letters."""

    title_s: float
    step_s: float
    letter_s: float


SLOW = Pace(title_s=2.5, step_s=1.0, letter_s=0.04)
EVEN = Pace(title_s=0.0, step_s=0.25, letter_s=0.0)
"""Slow enough that every refusal is an event of its own (SPEC 5.1: beyond five a second they are counted in one)."""
FAST = Pace(title_s=0.0, step_s=0.0, letter_s=0.0)


class Play:
    """Plays scenes in a thread. `problems` has a line for each signal that was not the script's; it ends at the first.

    `fd` is the writing end of the scanner's pipe. `bounce_s` is how soon a repeated code is a bounce. `portray` is
    called at the script's portrait, `on_end` at the end, however it comes, both in the thread.
    """

    def __init__(
        self,
        scenes: Iterable[Scene],
        *,
        fd: int,
        board: Board,
        pace: Pace,
        bounce_s: float,
        portray: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self.problems: list[str] = []
        self.is_complete = False
        self._scenes = tuple(scenes)
        self._fd = fd
        self._board = board
        self._pace = pace
        self._bounce_s = bounce_s
        self._portray = portray
        self._on_end = on_end
        self._typed = ""
        self._typed_at = 0.0
        self._thread = threading.Thread(target=self._run, name="play", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait for the end; soon, once the board is closed."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self.is_complete = all(self._play(scene) for scene in self._scenes)
        finally:
            self._on_end()

    def _play(self, scene: Scene) -> bool:
        self._board.caption(scene.title)
        self._rest(self._pace.title_s)
        return all(self._take(step, scene) for step in scene.steps)

    def _take(self, step: Step, scene: Scene) -> bool:
        if step.say:
            self._board.caption(scene.title, step.say)
        if not step.hasty:
            self._rest(self._pace.step_s)
            if step.typed == self._typed:
                self._rest(self._bounce_s - (time.monotonic() - self._typed_at))
        if self._board.is_closed:
            return False
        answered, alarms = self._board.answered, self._board.alarms
        self._type(step)
        if not self._board.wait_for(lambda: self._board.answered > answered, _ANSWER_S):
            return self._failed(f"{step.typed}: no signal came")
        self._typed, self._typed_at = step.typed, time.monotonic()
        answer = self._board.reply
        if answer is None or (answer.signal, answer.reason) != (step.signal, step.reason):
            return self._failed(f"{step.typed}: expected {_words(step.signal, step.reason)}, got {_told(answer)}")
        if step.alarm and not self._board.wait_for(lambda: self._board.alarms > alarms, _ALARM_S):
            return self._failed(f"{step.typed}: the centre's verdict did not come")
        if step.portrait:
            self._portray()
        return True

    def _type(self, step: Step) -> None:
        """Letter by letter, where somebody looks on."""
        letter_s = 0.0 if step.hasty else self._pace.letter_s
        data = f"{step.typed}\n".encode()
        for piece in [bytes([byte]) for byte in data] if letter_s else [data]:
            os.write(self._fd, piece)
            self._rest(letter_s)

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self._board.wait_for(lambda: False, seconds)

    def _failed(self, problem: str) -> bool:
        if not self._board.is_closed:
            self.problems.append(problem)
        return False


def _told(answer: Answer | None) -> str:
    return "nothing" if answer is None else _words(answer.signal, answer.reason)


def _words(signal: Signal, reason: Reason | None) -> str:
    return signal if reason is None else f"{signal} ({reason})"

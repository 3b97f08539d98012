"""What the demonstration has seen, kept for those who show it: threads write, the picture and the play read."""

import threading
from collections import deque
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from agent.contract.reasons import Reason
from agent.contract.signals import Colour, Signal, Steady

__all__ = ["Answer", "Arrival", "Board", "Caption", "Entry", "Glimpse", "Lights", "Note"]

_KEPT = 200


class Answer(Struct, frozen=True, kw_only=True):
    """A signal, and what was typed for it; none: the centre caused it. `pending` is told by `where` alone."""

    typed: str | None
    signal: Signal
    reason: Reason | None
    pending: int


class Arrival(Struct, frozen=True, kw_only=True):
    """An event that the centre has stored; `kind` is the middle of its type, `summary` a few words of its data."""

    sequence: int
    kind: str
    summary: str


class Note(Struct, frozen=True):
    """Something to tell the person at the keyboard."""

    text: str


class Caption(Struct, frozen=True):
    """What the play is about to show: a scene, and in it, unless it is empty, what happens next."""

    scene: str
    say: str


Entry = Answer | Arrival | Note | Caption


class Lights(Struct, frozen=True, kw_only=True):
    """What the lamp is showing at this moment, and what it means."""

    colour: Colour = Colour.OFF
    buzz: bool = False
    steady: Steady | None = None
    is_offline: bool = True


class Glimpse(Struct, frozen=True, kw_only=True):
    """The board at one moment; the newest of each list comes last. `line` is what is being typed."""

    line: str
    lights: Lights
    last: Answer | None
    answers: tuple[Answer, ...]
    arrivals: tuple[Arrival, ...]
    note: str
    caption: Caption


class Board:
    """Every method may be called from any thread and returns at once, but for `wait_for`.

    `on_entry` is told each entry, in the order in which they are kept, by the thread that brings it: it must only hand
    over.
    """

    def __init__(self, on_entry: Callable[[Entry], None] | None = None) -> None:
        self._on_entry = on_entry
        self._changed = threading.Condition()
        self._line = ""
        self._in_flight: str | None = None
        self._lights = Lights()
        self._answers: deque[Answer] = deque(maxlen=_KEPT)
        self._arrivals: deque[Arrival] = deque(maxlen=_KEPT)
        self._note = ""
        self._caption = Caption("", "")
        self._reply: Answer | None = None
        self._answered = 0
        self._alarms = 0
        self._closed = False

    # -- writing -------------------------------------------------------------------------------------------------

    def typing(self, line: str) -> None:
        self._line = line

    def scanned(self, typed: str) -> None:
        """This was handed to the kiosk; the next signal answers it."""
        with self._changed:
            self._in_flight = typed
            self._note = ""

    def signalled(self, signal: Signal, reason: Reason | None, pending: int) -> None:
        with self._changed:
            answer = Answer(typed=self._in_flight, signal=signal, reason=reason, pending=pending)
            self._in_flight = None
            self._answers.append(answer)
            if answer.typed is None:
                self._alarms += 1
            else:
                self._answered += 1
                self._reply = answer
            self._tell(answer)

    def arrived(self, arrival: Arrival) -> None:
        with self._changed:
            self._arrivals.append(arrival)
            self._tell(arrival)

    def note(self, text: str) -> None:
        with self._changed:
            self._note = text
            self._tell(Note(text))

    def caption(self, scene: str, say: str = "") -> None:
        with self._changed:
            self._caption = Caption(scene, say)
            self._tell(self._caption)

    def lamp(self, colour: Colour, buzz: bool) -> None:
        with self._changed:
            self._lights = replace(self._lights, colour=colour, buzz=buzz)

    def steady(self, light: Steady) -> None:
        with self._changed:
            self._lights = replace(self._lights, steady=light)

    def offline(self, is_offline: bool) -> None:
        with self._changed:
            self._lights = replace(self._lights, is_offline=is_offline)

    def close(self) -> None:
        """Nothing more is to come: whoever waits need not."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _tell(self, entry: Entry) -> None:
        if self._on_entry is not None:
            self._on_entry(entry)
        self._changed.notify_all()

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def answered(self) -> int:
        """How many scans have been answered."""
        return self._answered

    @property
    def reply(self) -> Answer | None:
        """The newest answer to a scan."""
        return self._reply

    @property
    def alarms(self) -> int:
        """How many signals came without a scan."""
        return self._alarms

    @property
    def is_closed(self) -> bool:
        return self._closed

    def glimpse(self) -> Glimpse:
        with self._changed:
            return Glimpse(
                line=self._line,
                lights=self._lights,
                last=self._answers[-1] if self._answers else None,
                answers=tuple(self._answers),
                arrivals=tuple(self._arrivals),
                note=self._note,
                caption=self._caption,
            )

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Whether the condition, of what this board knows, came true in time; false too once the board is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or condition(), timeout_s)
            return condition()

"""What a bench is doing, and whether it needs a person: one kind, and sentences that say why and what to do. Pure.

The most urgent problem gives the bench its kind; the others are added as further sentences.
"""

from msgspec import Struct

from centre.web.board.bench_facts import Bench
from centre.web.board.bench_problems import STATES, BenchCase, BenchKind, notes, problems
from centre.web.board.bench_reports import StationReport
from centre.web.board.looks import Appearance, Tone
from centre.web.board.page_times import PageClock

__all__ = ["BenchState", "bench_state"]


_LOOKS = {
    BenchKind.HELD: Appearance(Tone.STOP, "held", "held"),
    BenchKind.FAULT: Appearance(Tone.STOP, "fault", "scans not taken"),
    BenchKind.FAILED: Appearance(Tone.STOP, "fault", "not started"),
    BenchKind.DUPLICATE_ID: Appearance(Tone.STOP, "twice", "name used twice"),
    BenchKind.OFFLINE: Appearance(Tone.STOP, "offline", "offline"),
    BenchKind.SCANNER: Appearance(Tone.STOP, "unplugged", "device missing"),
    BenchKind.STUCK: Appearance(Tone.WARN, "warning", "stuck"),
    BenchKind.WAITING: Appearance(Tone.WARN, "clock", "left lying"),
    BenchKind.CHECK: Appearance(Tone.WARN, "warning", "check"),
    BenchKind.UNKNOWN: Appearance(Tone.WARN, "warning", "not understood"),
    BenchKind.SCANNING: Appearance(Tone.GO, "scan", "scanning"),
    BenchKind.BOXING: Appearance(Tone.WAIT, "box", "boxing"),
    BenchKind.PACKING: Appearance(Tone.WAIT, "pack", "packing"),
    BenchKind.ASSIGNING: Appearance(Tone.WAIT, "person", "assigning"),
    BenchKind.READY: Appearance(Tone.IDLE, "ready", "ready"),
    BenchKind.SIGNED_OUT: Appearance(Tone.IDLE, "ready", "signed out"),
}
_RANKS = {kind: rank for rank, kind in enumerate(BenchKind)}
_QUIET_RANK = _RANKS[BenchKind.SCANNING]


class BenchState(Struct, frozen=True, kw_only=True):
    """What the card of a bench says."""

    kind: BenchKind
    sentence: str | None = None
    """Why it needs a person, and what to do; None if it does not."""
    more: tuple[str, ...] = ()
    """What else is wrong, or good to know."""

    @property
    def needs_person(self) -> bool:
        return _RANKS[self.kind] < _QUIET_RANK

    @property
    def rank(self) -> int:
        """Where it stands among the cards: what needs a person first, all that runs well together."""
        return min(_RANKS[self.kind], _QUIET_RANK)

    @property
    def look(self) -> Appearance:
        return _LOOKS[self.kind]


def bench_state(bench: Bench, clock: PageClock, *, offline_s: float) -> BenchState:
    """Return what a bench is doing and what is wrong with it.

    `offline_s`: how many seconds without `health` make a kiosk offline.
    """
    case = BenchCase(bench, clock, offline_s)
    wrong = list(problems(case))
    if not wrong:
        return BenchState(kind=_quiet_kind(bench.view), more=tuple(notes(case)))
    kind, sentence = wrong[0]
    return BenchState(kind=kind, sentence=sentence, more=(*(further for _, further in wrong[1:]), *notes(case)))


def _quiet_kind(view: StationReport | None) -> BenchKind:
    if view is None:
        return BenchKind.UNKNOWN
    if not view.signed_in:
        return BenchKind.SIGNED_OUT
    return BenchKind(view.state) if view.state in STATES else BenchKind.UNKNOWN

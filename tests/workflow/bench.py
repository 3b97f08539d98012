"""A packing bench in memory: the workflow, a catalogue filled by messages, a clock, and a list as the journal.

A second state, the shadow, is folded from the written documents alone. After every commit it must equal the state of
the steps, a snapshot must give the state back, and `tests.workflow.invariants` must hold. So every test that scans
anything also tests replay (`workflow.md#restart-keeps-the-state`), snapshots and counts.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.catalogue.catalogue import Catalogue
from agent.contract.cloudevents import Envelope, document
from agent.contract.events import Accepted, Event
from agent.contract.manifest import Manifest
from agent.contract.messages import blocked_of, boxes_of, counted_of, manifest_of, operators_of, verdict_of
from agent.contract.printed_codes import Verb, badge_text, command_text
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.scan import NO_READ, Frame
from agent.workflow.context import StepContext, WorkflowRules
from agent.workflow.counted_elsewhere import take_counted
from agent.workflow.holds import take_verdict
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.replay import fold_commit, private_text
from agent.workflow.reply import Alarm, Reply
from agent.workflow.revisions import take_revision
from agent.workflow.sign_in import sign_out_unlisted
from agent.workflow.state import Order, Phase, State, StationState
from agent.workflow.state_codec import decode_state, encode_state
from agent.workflow.step import take
from agent.workflow.timeouts import apply_timeouts, is_due
from agent.workflow.transient_state import TransientState
from tests.workflow.invariants import check_accepted, check_box_ids, check_state

__all__ = [
    "AGAIN", "ALARM", "BADGES", "BOXED", "CONFIRMED", "GTIN", "JOURNAL", "LINE_DONE", "OK", "ORDER_DONE", "PROMPT",
    "REMOVED", "SAVED", "Bench", "imei", "line", "refused",
]  # fmt: skip

JOURNAL = "3F0C9A1B"
GTIN = "09506000134352"
BADGES = {"E7": badge_text("TOKENOFE7"), "E8": "CARD-8", "E9": badge_text("TOKENOFE9")}
"""E9 may only pick."""

OK = Reply(signal=Signal.OK)
LINE_DONE = Reply(signal=Signal.LINE_DONE)
ORDER_DONE = Reply(signal=Signal.ORDER_DONE)
BOXED = Reply(signal=Signal.BOXED)
SAVED = Reply(signal=Signal.SAVED)
CONFIRMED = Reply(signal=Signal.CONFIRMED)
PROMPT = Reply(signal=Signal.PROMPT)
AGAIN = Reply(signal=Signal.AGAIN)
REMOVED = Reply(signal=Signal.REMOVED)
ALARM = Signal.ALARM

E_ = TypeVar("E_", bound=Event)
T = TypeVar("T")


def refused(reason: Reason, signal: Signal = Signal.REJECT) -> Reply:
    return Reply(signal=signal, reason=reason)


def imei(number: int, tac: str = "35000000") -> str:
    """Return a valid IMEI for each number below a million."""
    body = f"{tac}{number:06d}"
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(body)]
    return body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def line(id: str, sku: str, quantity: int, *, serialized: bool = True, **more: Any) -> dict[str, Any]:
    """Return one line of a manifest message; its flow is `used` unless `more` says otherwise."""
    return {"line": id, "sku": sku, "quantity": quantity, "serialized": serialized, "flow": "used", **more}


@dataclass(frozen=True, kw_only=True)
class Commit:
    """What the journal keeps of one step. `position` and `sequence` are those of the first event."""

    journal: str
    position: int
    sequence: int
    documents: tuple[bytes, ...]
    private: bytes


class Bench:
    """Two stations, `1` and `2`; operators E7 and E8 (any role) and E9 (picking only); box sizes M and L.

    `events` are all events since the beginning, `new` those of the latest step.
    """

    def __init__(self, *, rules: WorkflowRules | None = None, operators: bool = True) -> None:
        self.rules = rules or WorkflowRules()
        self.catalogue = Catalogue()
        self.state = State()
        self.shadow = State()
        self.now = 1000.0
        self.transients = {name: TransientState(idle_since=self.now) for name in ("1", "2")}
        self.commits: list[Commit] = []
        self.events: list[Event] = []
        self.new: list[Event] = []
        self.thorough = True
        """Check everything at every commit. A test that fills a box switches this off for a while."""
        self.journal, self.sequence, self.position = JOURNAL, 0, 0
        self._boxes_known: set[str] = set()
        if operators:
            self.operators(
                {"operator": "E7", "badges": [BADGES["E7"]]},
                {"operator": "E8", "badges": [BADGES["E8"]], "roles": ["picking", "packing", "shipping"]},
                {"operator": "E9", "badges": [BADGES["E9"]], "roles": ["picking"]},
            )
        self.sizes("M", "L")

    # -- messages of the centre ----------------------------------------------------------------------------------

    def operators(self, *items: dict[str, Any], revision: int = 1) -> None:
        listed = operators_of(_json({"revision": revision, "items": items}), topic="operators")
        if self.catalogue.put_operators(listed):
            self.centre(lambda commit: sign_out_unlisted(commit, frozenset(listed.by_id)))

    def sizes(self, *codes: str, revision: int = 1) -> None:
        """Send the catalogue of box sizes, all of the same dimensions."""
        sizes = [{"code": code, "length_mm": 300, "width_mm": 200, "height_mm": 150} for code in codes]
        self.catalogue.put_boxes(boxes_of(_json({"revision": revision, "items": sizes}), topic="boxes"))

    def order(self, order: str, *lines: dict[str, Any], revision: int = 1, **more: Any) -> list[Alarm]:
        """Send a manifest and return its alarms. Unless `more` says otherwise it is open and E7 has all roles."""
        self.new = []
        roles = dict.fromkeys(("picking", "packing", "shipping"), "E7")
        message = {
            "order": order, "revision": revision, "type": "normal", "status": "open",
            "operators": roles, "lines": lines, **more,
        }  # fmt: skip
        manifest = self.catalogue.put_manifest(manifest_of(order, _json(message), topic=order))
        return [] if manifest is None else self.centre(lambda commit: take_revision(commit, manifest))

    def withdraw(self, order: str) -> list[Alarm]:
        manifest = self.catalogue.withdraw(order)
        return [] if manifest is None else self.centre(lambda commit: take_revision(commit, manifest))

    def block(self, *identifiers: str) -> None:
        self.catalogue.put_blocked(blocked_of("a", _json({"revision": 1, "items": identifiers}), topic="blocked"))

    def counted(self, order: str, *boxes: dict[str, Any], part: str = "1", revision: int = 1) -> list[Alarm]:
        """Send a part of what other kiosks have counted; return its alarms."""
        self.new = []
        message = {"order": order, "part": part, "revision": revision, "boxes": boxes}
        if not self.catalogue.put_counted(counted_of(order, part, _json(message), topic=order)):
            return []
        return self.centre(lambda commit: take_counted(commit, order, self.catalogue.counted(order)))

    def verdict(self, action: str, order: str, unit: str | None, *, id: str = "v1", revision: int = 1) -> list[Alarm]:
        message = {"revision": revision, "action": action, "order": order, "unit": unit, "reason": "counted twice"}
        verdict = verdict_of(id, _json(message), topic=id)
        return self.centre(lambda commit: take_verdict(commit, verdict))

    def centre(self, decide: Callable[[PendingCommit], T]) -> T:
        """Commit what is decided without a scan."""
        self.new = []
        commit = PendingCommit(
            state=self.state, journal=self.journal, next_sequence=self.sequence + 1, position=self.position + 1
        )
        decided = decide(commit)
        self._commit(commit.events, commit.state)
        return decided

    # -- scans ---------------------------------------------------------------------------------------------------

    def scan(
        self,
        code: str | bytes,
        *,
        station: str = "1",
        scanner: str = "left",
        after: float = 1.0,
        intact: bool = True,
        no_read: frozenset[str] = NO_READ,
    ) -> Reply:
        """Scan a code `after` seconds after the last one; return its signal."""
        self.wait(after)
        before = self.state
        context = self._context(station, scanner)
        data = code.encode() if isinstance(code, str) else code
        reply = take(context, Frame(data=data, intact=intact, at=self.now, no_read=no_read))
        assert isinstance(reply, Reply), "every scan gets a signal"
        assert context.events or context.state == before, "what changes the state is an event"
        assert reply.signal is not Signal.REJECT or reply.reason is not None
        for event in context.events:
            if isinstance(event, Accepted):
                check_accepted(event, before)
        self._adopt(context)
        return reply

    def do(self, verb: str, argument: str = "", *, station: str = "1", after: float = 1.0) -> Reply:
        """Scan a command barcode."""
        return self.scan(command_text(Verb(verb), argument), station=station, after=after)

    def sign_in(self, operator: str = "E7", *, station: str = "1") -> None:
        assert self.scan(BADGES[operator], station=station) == OK

    def opened(self, order: str, *, station: str = "1") -> None:
        """Open an order; sign E7 in before if nobody is signed in."""
        if self.state.station(station).operator is None:
            self.sign_in(station=station)
        assert self.scan(order, station=station) == OK

    def all(self, codes: Iterable[str], *, station: str = "1") -> list[Signal]:
        return [self.scan(code, station=station).signal for code in codes]

    def save(self) -> None:
        """Confirm the open box: SAVE, BOX M, SAVE."""
        assert [self.do("SAVE"), self.do("BOX", "M").signal, self.do("SAVE")] == [BOXED, Signal.OK, SAVED]

    # -- time ----------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass at both stations."""
        self.now += seconds
        self.new = []
        for station in self.transients:
            if is_due(self.state.station(station), self.transients[station], self.rules, self.now):
                context = self._context(station, None)
                apply_timeouts(context)
                self._adopt(context)

    def restart(self) -> None:
        """Cut the power: the state comes from a snapshot, the transient states are new."""
        self.state = decode_state(encode_state(self.shadow), Manifest.from_source)
        self.transients = {name: TransientState(idle_since=self.now) for name in self.transients}

    def start_over(self, journal: str) -> None:
        """Go on under a new journal id, as after a restored disk."""
        self.journal, self.sequence = journal, 0

    # -- results -------------------------------------------------------------------------------------------------

    @property
    def station(self) -> StationState:
        return self.state.station("1")

    def phase(self, station: str = "1") -> Phase:
        return self.state.station(station).phase

    @property
    def here(self) -> Order:
        """The order open at station 1."""
        return self.state.orders[self.station.order or ""]

    def types(self) -> list[str]:
        """Return the types of the events of the latest step."""
        return [event.type for event in self.new]

    def last(self, kind: type[E_]) -> E_:
        """Return the newest event of a class."""
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def contents(self, box: str | None = None) -> dict[str, int]:
        """Return the pieces by SKU in a box of the order at station 1, by default in the open box."""
        found = self.here.boxes.get(box) if box else self.here.box
        pieces: Counter[str] = Counter()
        for entry in found.entries if found else ():
            pieces[entry.sku] += entry.quantity
        return dict(pieces)

    # -- steps and commits ---------------------------------------------------------------------------------------

    def _context(self, station: str, scanner: str | None) -> StepContext:
        return StepContext(
            state=self.state,
            station_id=station,
            catalogue=self.catalogue,
            rules=self.rules,
            now=self.now,
            transient=self.transients[station],
            badge_secret=b"a secret of this kiosk",
            journal=self.journal,
            next_sequence=self.sequence + 1,
            position=self.position + 1,
            scanner=scanner,
        )

    def _adopt(self, context: StepContext) -> None:
        self.transients[context.station_id] = context.transient
        self._commit(context.events, context.state)

    def _commit(self, events: Iterable[Event], state: State) -> None:
        events = tuple(events)
        if not events:
            return
        envelope = Envelope(
            source="/kiosk/rtm1/dock-3",
            journal=self.journal,
            boot_id="7d1e40aa-0000-4000-8000-000000000000",
            time="2026-11-22T17:53:01.123Z",
            uptime_ms=int(self.now * 1000),
            clock_synced=True,
        )
        commit = Commit(
            journal=self.journal,
            position=self.position + 1,
            sequence=self.sequence + 1,
            documents=tuple(document(event, envelope, self.sequence + 1 + n) for n, event in enumerate(events)),
            private=private_text(events),
        )
        self.commits.append(commit)
        self.sequence += len(events)
        self.position += len(events)
        self.new += events
        self.events += events
        self.shadow = fold_commit(self.shadow, commit)
        self.state = state
        if not self.thorough:
            return
        assert self.shadow == state, "replayed documents give the state"
        assert decode_state(encode_state(state), Manifest.from_source) == state, "a snapshot gives the state back"
        check_state(state, events, commit.documents)
        self._boxes_known = check_box_ids(state, self._boxes_known)


def _json(message: object) -> bytes:
    return json.dumps(message).encode()

"""A packing bench in memory: the workflow, a catalogue filled by messages, a clock, a journal that is a list.

Beside the state of the steps runs its shadow, folded from the rendered documents alone. After every commit both must be
equal, a snapshot must give the same state back, and the counts must agree with what lies in the boxes: so every test
that scans anything checks replay, snapshot and counting too.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.catalogue.catalogue import Catalogue
from agent.contract.cloudevents import Envelope, document
from agent.contract.events import Accepted, Event, Rejected, Voided
from agent.contract.manifest import Manifest
from agent.contract.messages import blocked_of, boxes_of, manifest_of, operators_of, verdict_of
from agent.contract.printed_codes import Verb, badge_text, command_text
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.scan import Frame
from agent.workflow.context import StepContext, WorkflowRules
from agent.workflow.holds import take_verdict
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.replay import fold_commit, private_text
from agent.workflow.reply import Alarm, Reply
from agent.workflow.revisions import take_revision
from agent.workflow.sign_in import sign_out_unlisted
from agent.workflow.state import BoxState, Order, Phase, State, StationState, ids_of
from agent.workflow.state_codec import decode_state, encode_state
from agent.workflow.step import take
from agent.workflow.timeouts import apply_timeouts, is_due
from agent.workflow.transient_state import TransientState

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
    """A valid IMEI for each number below a million."""
    body = f"{tac}{number:06d}"
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(body)]
    return body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def line(id: str, sku: str, quantity: int, *, serialized: bool = True, **more: Any) -> dict[str, Any]:
    """One line of a manifest message; flow `used` unless `more` says otherwise."""
    return {"line": id, "sku": sku, "quantity": quantity, "serialized": serialized, "flow": "used", **more}


@dataclass(frozen=True, kw_only=True)
class Commit:
    """What the journal keeps of one step; position and sequence are its first event's."""

    journal: str
    position: int
    sequence: int
    documents: tuple[bytes, ...]
    private: bytes


class Bench:
    """Stations `1` and `2`, each with scanners; operators E7, E8 (both any role) and E9 (picking only); sizes M and L.

    `events` are all since the beginning, `new` those of the latest step.
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
        """Whether everything is checked at every commit; a test that fills a box to the brim leaves it for the end."""
        self.journal, self.sequence, self.position = JOURNAL, 0, 0
        self._boxes_known: set[str] = set()
        if operators:
            self.operators(
                {"operator": "E7", "badges": [BADGES["E7"]]},
                {"operator": "E8", "badges": [BADGES["E8"]], "roles": ["picking", "packing", "shipping"]},
                {"operator": "E9", "badges": [BADGES["E9"]], "roles": ["picking"]},
            )
        sizes = [{"code": code, "length_mm": 300, "width_mm": 200, "height_mm": 150} for code in ("M", "L")]
        self.catalogue.put_boxes(boxes_of(_json({"revision": 1, "items": sizes}), topic="boxes"))

    # -- what the centre says ------------------------------------------------------------------------------------

    def operators(self, *items: dict[str, Any], revision: int = 1) -> None:
        listed = operators_of(_json({"revision": revision, "items": items}), topic="operators")
        if self.catalogue.put_operators(listed):
            self.centre(lambda commit: sign_out_unlisted(commit, frozenset(listed.by_id)))

    def order(self, order: str, *lines: dict[str, Any], revision: int = 1, **more: Any) -> list[Alarm]:
        """A manifest, open unless `more` says otherwise, its three roles E7's; the alarms it sounds."""
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

    def verdict(self, action: str, order: str, unit: str, *, id: str = "v1", revision: int = 1) -> list[Alarm]:
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

    # -- what the operator does ----------------------------------------------------------------------------------

    def scan(
        self, code: str | bytes, *, station: str = "1", scanner: str = "left", after: float = 1.0, intact: bool = True
    ) -> Reply:
        """The one signal of a scan, `after` seconds from the last."""
        self.wait(after)
        before = self.state
        context = self._context(station, scanner)
        data = code.encode() if isinstance(code, str) else code
        reply = take(context, Frame(data=data, intact=intact, at=self.now))
        assert isinstance(reply, Reply), "every scan gets a signal"
        assert context.events or context.state == before, "what changes the state is an event"
        assert reply.signal is not Signal.REJECT or reply.reason is not None
        for event in context.events:
            if isinstance(event, Accepted):
                _check_accepted(event, before)
        self._adopt(context)
        return reply

    def do(self, verb: str, argument: str = "", *, station: str = "1", after: float = 1.0) -> Reply:
        """Scan a command barcode."""
        return self.scan(command_text(Verb(verb), argument), station=station, after=after)

    def sign_in(self, operator: str = "E7", *, station: str = "1") -> None:
        assert self.scan(BADGES[operator], station=station) == OK

    def opened(self, order: str, *, station: str = "1") -> None:
        """Sign E7 in, if nobody is, and open an order."""
        if self.state.station(station).operator is None:
            self.sign_in(station=station)
        assert self.scan(order, station=station) == OK

    def all(self, codes: Iterable[str], *, station: str = "1") -> list[Signal]:
        return [self.scan(code, station=station).signal for code in codes]

    def save(self) -> None:
        """SAVE, SAVE: the open box is confirmed; a size is chosen where none is needed too."""
        assert [self.do("SAVE"), self.do("BOX", "M").signal, self.do("SAVE")] == [BOXED, Signal.OK, SAVED]

    # -- time ----------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Time passes, and does what it does at both stations."""
        self.now += seconds
        self.new = []
        for station in self.transients:
            if is_due(self.state.station(station), self.transients[station], self.rules, self.now):
                context = self._context(station, None)
                apply_timeouts(context)
                self._adopt(context)

    def restart(self) -> None:
        """The power is cut: the state comes from a snapshot, what lived between scans is gone."""
        self.state = decode_state(encode_state(self.shadow), Manifest.from_source)
        self.transients = {name: TransientState(idle_since=self.now) for name in self.transients}

    def start_over(self, journal: str) -> None:
        """The journal goes on under a new id, as after a card was restored."""
        self.journal, self.sequence = journal, 0

    # -- what came of it -----------------------------------------------------------------------------------------

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
        """The types of the events of the latest step."""
        return [event.type for event in self.new]

    def last(self, kind: type[E_]) -> E_:
        """The newest event of a kind."""
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def contents(self, box: str | None = None) -> dict[str, int]:
        """Pieces by SKU in a box of the order at station 1, or in the open one."""
        found = self.here.boxes.get(box) if box else self.here.box
        pieces: Counter[str] = Counter()
        for entry in found.entries if found else ():
            pieces[entry.sku] += entry.quantity
        return dict(pieces)

    # -- the steps' surroundings ---------------------------------------------------------------------------------

    def _context(self, station: str, scanner: str | None) -> StepContext:
        return StepContext(
            state=self.state,
            station_id=station,
            catalogue=self.catalogue,
            rules=self.rules,
            now=self.now,
            transient=self.transients[station],
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
        self._check(events)

    # -- what always holds ---------------------------------------------------------------------------------------

    def _check(self, events: tuple[Event, ...]) -> None:
        for order in self.state.orders.values():
            _check_order(order)
        self._check_counts(events)
        self._check_box_ids()
        open_at = [station.order for station in self.state.stations.values() if station.order is not None]
        assert len(open_at) == len(set(open_at)), "an order is open at one station"
        counted = [one for order in self.state.orders.values() if order.packed is None for one in order.counted]
        assert set(counted) == set(self.state.units), "the index of units has what is counted"
        for rendered in self.commits[-1].documents:
            assert len(rendered) <= 64 * 1024
            assert "clears" not in json.loads(rendered)["data"]

    def _check_counts(self, events: tuple[Event, ...]) -> None:
        """Of each line the last event of a step carries the counts after it."""
        last = {(e.order, e.line): e for e in events if isinstance(e, Accepted | Voided)}
        newest = {e.order: e for e in last.values()}
        for (order_id, line_id), event in last.items():
            order = self.state.orders[order_id]
            assert event.line_scanned == order.scanned_on(line_id)
            assert event.line_pending == order.pending_on(line_id)
        for order_id, event in newest.items():
            order = self.state.orders[order_id]
            assert event.order_scanned == order.total_scanned
            assert event.order_pending == order.total_pending
        assert all(len(event.code) <= 128 for event in events if isinstance(event, Rejected))

    def _check_box_ids(self) -> None:
        there = {box for order in self.state.orders.values() for box in order.boxes}
        begun = there - self._boxes_known
        assert all(int(box[8:]) == self.state.box_number for box in begun), "a new box has the highest number"
        self._boxes_known |= there


def _json(message: object) -> bytes:
    return json.dumps(message).encode()


def _check_accepted(event: Accepted, before: State) -> None:
    assert event.line_pending >= 0, "nothing is counted beyond what is ordered"
    assert before.orders[event.order].is_open
    for one in ids_of(event.unit) if event.unit is not None else ():
        holders = [order for order in before.orders.values() if order.is_open and one in order.counted]
        assert not holders, "a unit is counted once among all open orders"


def _check_order(order: Order) -> None:
    pieces: Counter[str] = Counter()
    units: list[str] = []
    for box in order.boxes.values():
        assert box.entries, "an empty box is none"
        assert box.units == sum(entry.unit is not None for entry in box.entries)
        assert (box.state is BoxState.CONFIRMED) == (box.id in order.confirmed)
        for entry in box.entries:
            assert entry.quantity > 0
            pieces[entry.line] += entry.quantity
            ids = ids_of(entry.unit) if entry.unit is not None else ()
            assert all(order.counted[one] == box.id for one in ids)
            units += ids
    assert len(units) == len(set(units)), "no unit is counted twice"
    assert set(units) == set(order.counted)
    assert +Counter(dict(order.scanned)) == pieces
    assert set(order.boxes) - {order.open_box} == set(order.confirmed)
    assert order.open_box is None or order.open_box in order.boxes
    for line_id in order.lines():
        assert order.scanned_on(line_id) + order.pending_on(line_id) == order.ordered_on(line_id)

"""What the centre says, applied to the catalogue and turned into decisions."""

from collections.abc import Callable
from typing import Any

import pytest

from agent.catalogue.cache import Change
from agent.contract.messages import operators_of, order_index_of
from agent.daemon.centre_updates import CentreUpdates, Decide
from agent.daemon.overdue import Subject
from agent.runtime.clock import FakeClock
from agent.workflow.state import State
from tests.workflow.bench import BADGES, Bench, imei, line


class Updates:
    """The updates of a bench's catalogue, with what they ask for collected."""

    def __init__(self, bench: Bench) -> None:
        self.clock = FakeClock()
        self.decisions: list[Decide] = []
        self.subjects: list[Subject] = []
        self.later: list[Callable[[], object]] = []
        self.changes: list[Change] = []
        self.wanted: list[list[str]] = []
        self.updates = CentreUpdates(
            bench.catalogue,
            stations=["1", "2"],
            state=lambda: bench.state,
            decide=self._decide,
            later=self.later.append,
            clock=self.clock,
            on_changes=self.changes.extend,
            on_wanted=self.wanted.append,
        )

    def _decide(self, subject: Subject, decide: Decide, *, revision: int = 0) -> None:
        self.decisions.append(decide)
        self.subjects.append(subject)

    def tick(self, after_s: float = 0.0) -> None:
        self.clock.advance(after_s)
        self.updates.tick(self.clock.monotonic())


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "PHONE", 10, tacs=["35000000"]))
    bench.order("SO-2", line("1", "PHONE", 2, tacs=["35000000"]))
    return bench


def index(revision: int, **orders: int) -> Any:
    named = ",".join(f'"{order}":{number}' for order, number in orders.items())
    return order_index_of(b'{"revision":%d,"orders":{%s}}' % (revision, named.encode()), topic="orders")


def test_a_new_manifest_is_decided_about_and_an_old_one_is_not(bench: Bench) -> None:
    """`workflow.md#manifest-revisions`"""
    found = Updates(bench)
    known = bench.catalogue.manifest("SO-1")
    assert known is not None
    found.updates.take_manifest(known, is_stored=True)
    assert found.decisions == []
    found.updates.withdraw("SO-1")
    assert len(found.decisions) == 1
    found.updates.withdraw("SO-1")
    assert len(found.decisions) == 1


def test_an_operators_list_is_decided_about_once(bench: Bench) -> None:
    found = Updates(bench)
    listed = operators_of(b'{"revision":5,"items":[{"operator":"E7","badges":["B"]}]}', topic="operators")
    found.updates.take_operators(listed)
    found.updates.take_operators(listed)
    assert len(found.decisions) == 1


def test_what_an_index_lacks_is_withdrawn_later_and_what_is_missing_is_fetched(bench: Bench) -> None:
    """`mqtt.md#order-index`"""
    found = Updates(bench)
    found.updates.take_order_index(index(7, **{"SO-1": 1, "SO-9": 4}))
    assert len(found.later) == 1
    found.later[0]()
    assert len(found.decisions) == 1, "SO-2 is withdrawn"
    found.tick(1.0)
    assert found.wanted == [], "its retained manifest may be on its way"
    found.tick(1.5)
    assert found.wanted == [["SO-9"]]
    found.tick(10.0)
    assert len(found.wanted) == 1
    assert found.updates.facts.missing == ("SO-9",)


def test_changes_go_to_the_cache_with_the_next_tick(bench: Bench) -> None:
    found = Updates(bench)
    found.tick()
    assert len(found.changes) > 0
    before = len(found.changes)
    found.tick(10.0)
    assert len(found.changes) == before


def test_facts_are_looked_up_after_a_change(bench: Bench) -> None:
    found = Updates(bench)
    assert found.updates.facts.operators_revision is None
    found.tick()
    assert found.updates.facts.operators_revision == 1


def test_a_journal_just_opened_brings_back_manifests_and_asks_for_decisions(bench: Bench) -> None:
    """`workflow.md#restart-keeps-the-state`, `faults.md#damaged-cache`"""
    bench.scan(BADGES["E7"])
    bench.scan("SO-1")
    bench.scan(imei(1))
    state = bench.state
    empty = Bench()
    found = Updates(empty)
    decisions = found.updates.reconcile(state)
    assert empty.catalogue.manifest("SO-1") == state.orders["SO-1"].manifest
    assert len(decisions) == 3, "what others counted, operators that left the list, stations that are gone"
    bench.order("SO-1", line("1", "PHONE", 12, tacs=["35000000"]), revision=9)
    assert len(Updates(bench).updates.reconcile(state)) == 4, "and a newer revision"


def test_an_empty_state_asks_for_the_same_decisions() -> None:
    found = Updates(Bench(operators=False))
    assert len(found.updates.reconcile(State())) == 1


def test_of_an_open_order_one_revision_a_second_is_decided_about_and_the_newest_before_a_scan_needs_it(
    bench: Bench,
) -> None:
    """`workflow.md#manifest-revisions`"""
    bench.sign_in()
    bench.scan("SO-1")
    found = Updates(bench)

    def send(revision: int, **more: str) -> None:
        other = Bench()
        other.order("SO-1", line("1", "PHONE", 10 + revision, tacs=["35000000"]), revision=revision, **more)
        manifest = other.catalogue.manifest("SO-1")
        assert manifest is not None
        found.updates.take_manifest(manifest, is_stored=False)

    for revision in range(2, 50):
        send(revision)
    assert found.subjects == [("revision", "SO-1")]
    assert found.updates.has_waiting_revision
    found.updates.take_waiting_revision("SO-2")
    assert len(found.decisions) == 1
    found.updates.take_waiting_revision("SO-1")
    assert not found.updates.has_waiting_revision
    bench.centre(found.decisions[-1])
    assert bench.state.orders["SO-1"].manifest.revision == 49
    send(50)
    found.tick(0.5)
    assert len(found.decisions) == 2
    found.tick(0.6)
    assert len(found.decisions) == 3
    send(51, status="cancelled")
    assert len(found.decisions) == 4, "a change of status is not kept waiting"

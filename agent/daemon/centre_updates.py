"""Apply the centre's messages to the catalogue, and to the state if they concern an open or counted order."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

from msgspec import Struct

from agent.catalogue.cache import Change
from agent.catalogue.catalogue import Catalogue
from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSizes
from agent.contract.counted import CountedPart
from agent.contract.manifest import Manifest
from agent.contract.operators import Operators
from agent.contract.order_index import OrderIndex
from agent.contract.verdicts import Verdict
from agent.daemon.overdue import Subject
from agent.daemon.revision_pace import RevisionPace
from agent.runtime.clock import Clock
from agent.workflow.counted_elsewhere import take_counted
from agent.workflow.holds import take_verdict
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.reply import Alarm
from agent.workflow.revisions import take_revision
from agent.workflow.sign_in import sign_out_removed_stations, sign_out_unlisted
from agent.workflow.state import State

__all__ = ["CatalogueFacts", "CentreUpdates", "Decide"]

Decide = Callable[[PendingCommit], list[Alarm]]
"""Records events; returns the alarms to sound."""


class Decider(Protocol):
    """Has a decision about a subject made and committed."""

    def __call__(self, subject: Subject, decide: Decide, *, revision: int = 0) -> None: ...


_COMPARE_S = 2.0
"""How long to wait after an order index for the retained manifests, before missing ones are fetched one by one."""

_FACTS_S = 5.0
_MISSING_MAX = 100


class CatalogueFacts(Struct, frozen=True, kw_only=True):
    """What `health` reports of the catalogue: ids of missing orders, at most 100; codes with two meanings, in words;
    how many orders and parts of the blocked units are not kept, because there are too many.
    """

    missing: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    """What no label can match."""
    operators_revision: int | None = None
    orders_left_out: int = 0
    blocked_left_out: int = 0


class CentreUpdates:
    """All methods are for the scan path's thread, which owns the catalogue.

    `state` returns the present state. `decide` makes a decision and commits it; while the journal cannot be written,
    the decision waits, and a newer one about the same subject replaces it. `later` runs what
    need not hold up the next scan. `on_changes` is told what the cache should keep, `on_wanted` which orders should be
    fetched singly. `facts` is replaced as a whole and may be read by any thread.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        stations: Collection[str],
        state: Callable[[], State],
        decide: Decider,
        later: Callable[[Callable[[], object]], None],
        clock: Clock,
        on_changes: Callable[[tuple[Change, ...]], None],
        on_wanted: Callable[[list[str]], None],
    ) -> None:
        self.facts = CatalogueFacts()
        self.is_rechecking = False
        """Whether codes wait to be compared with the badges."""
        self._catalogue = catalogue
        self._stations = stations
        self._state = state
        self._decide = decide
        self._pace = RevisionPace()
        self._later = later
        self._clock = clock
        self._on_changes = on_changes
        self._on_wanted = on_wanted
        self._compare_at: float | None = None
        self._facts_at = clock.monotonic()

    # -- messages of the centre ----------------------------------------------------------------------------------

    def take_manifest(self, manifest: Manifest, *, is_stored: bool) -> None:
        """Take a manifest; a revision that is not higher is ignored (`workflow.md#manifest-revisions`)."""
        is_needed = manifest.order in self._state().orders
        in_force = self._catalogue.put_manifest(manifest, is_stored=is_stored, is_needed=is_needed)
        if in_force is not None:
            self._revise(in_force)

    def withdraw(self, order: str) -> None:
        withdrawn = self._catalogue.withdraw(order)
        if withdrawn is not None:
            self._revise(withdrawn)

    def _revise(self, manifest: Manifest) -> None:
        """Journal a revision of an order that was opened or counted here: now, or a while after the one before."""
        known = self._state().orders.get(manifest.order)
        if known is None:
            # Nothing to journal, unless the journal is not open yet. The manifest must not stay in memory until then.
            self._decide(("revision", manifest.order), partial(self._compare, order=manifest.order))
            return
        is_urgent = manifest.status is not known.manifest.status or manifest.reopen != known.manifest.reopen
        if self._pace.may_take(manifest, self._clock.monotonic(), is_urgent=is_urgent):
            self._decide(("revision", manifest.order), partial(take_revision, manifest=manifest))

    def _compare(self, commit: PendingCommit, order: str) -> list[Alarm]:
        """Take the revision that is in force now, if the order was opened or counted here after all."""
        manifest = self._catalogue.manifest(order) if order in commit.state.orders else None
        return [] if manifest is None else take_revision(commit, manifest)

    @property
    def has_waiting_revision(self) -> bool:
        """Whether a revision of any order waits."""
        return bool(self._pace)

    def take_waiting_revision(self, order: str) -> None:
        """Take the revision of this order that waits, if one does: a scan needs the newest."""
        manifest = self._pace.take(order, self._clock.monotonic())
        if manifest is not None:
            self._decide(("revision", order), partial(take_revision, manifest=manifest))

    def take_operators(self, operators: Operators) -> None:
        """Take the list; who is signed in and no longer on it is signed out (`workflow.md#sign-out`)."""
        if self._catalogue.put_operators(operators):
            self._decide(("operators", ""), partial(_sign_out_unlisted, listed=frozenset(operators.by_id)))

    def take_boxes(self, boxes: BoxSizes) -> None:
        self._catalogue.put_boxes(boxes)

    def take_blocked(self, part: BlockedPart) -> None:
        self._catalogue.put_blocked(part)

    def drop_blocked(self, part: str) -> None:
        self._catalogue.drop_blocked(part)

    def take_order_index(self, index: OrderIndex) -> None:
        """Withdraw what a newer index lacks; fetch what it names and is missing here (`mqtt.md#order-index`)."""
        for order in self._catalogue.put_order_index(index):
            self._later(partial(self.withdraw, order))
        self._compare_at = self._clock.monotonic() + _COMPARE_S

    def drop_order_index(self, part: str) -> None:
        """Forget a part of the index; no order is withdrawn by that."""
        self._catalogue.drop_order_index(part)

    def take_counted(self, part: CountedPart) -> None:
        """Take a part of what other kiosks have counted (`mqtt.md#counted-parts`)."""
        if self._catalogue.put_counted(part):
            self._decide(("counted", part.order), self._counted(part.order))

    def drop_counted(self, order: str, part: str) -> None:
        if self._catalogue.drop_counted(order, part):
            self._decide(("counted", order), self._counted(order))

    def recount(self, state: State) -> None:
        """Compare the counted parts of every order with the state again: the journal has a new id."""
        for order in state.orders:
            self._decide(("counted", order), self._counted(order))

    def _counted(self, order: str) -> Decide:
        return lambda commit: take_counted(commit, order, self._catalogue.counted(order))

    def take_verdict(self, verdict: Verdict) -> None:
        self._decide(("verdict", verdict.id), partial(take_verdict, verdict=verdict), revision=verdict.revision)

    # -- between scans -------------------------------------------------------------------------------------------

    def reconcile(self, state: State) -> list[tuple[Subject, Decide]]:
        """Update the catalogue from the state of a journal just opened; return what has to be decided.

        That is what the centre said, and what the configuration changed, while the journal was not open.
        """
        decisions: list[tuple[Subject, Decide]] = []
        # The cache may be gone or old; the manifest of an order in the journal is never older than the order's counts.
        for order in state.orders.values():
            self._catalogue.put_manifest(order.manifest, is_needed=True)
            newer = self._catalogue.manifest(order.id)
            if newer is not None and newer.revision > order.manifest.revision:
                decisions.append((("revision", order.id), partial(take_revision, manifest=newer)))
            decisions.append((("counted", order.id), self._counted(order.id)))
        if self._catalogue.operators is not None:
            listed = frozenset(self._catalogue.operators.by_id)
            decisions.append((("operators", ""), partial(_sign_out_unlisted, listed=listed)))
        decisions.append((("stations", ""), partial(_sign_out_removed_stations, stations=self._stations)))
        return decisions

    def tick(self, now: float) -> None:
        """Pass on what is to be fetched and what is to be cached, and update `facts`."""
        self.recheck()
        if self._compare_at is not None and now >= self._compare_at:
            self._compare_at = None
            self._on_wanted(self._catalogue.to_fetch())
        for manifest in self._pace.take_due(now):
            self._decide(("revision", manifest.order), partial(take_revision, manifest=manifest))
        if wanted := self._catalogue.take_wanted_again():
            self._on_wanted(wanted)
        changes = self._catalogue.take_changes()
        if changes:
            self._on_changes(changes)
        if changes or self.is_rechecking or now - self._facts_at >= _FACTS_S:
            self._facts_at = now
            self._look_up_facts()

    def recheck(self) -> None:
        """Compare a few more codes with the badges (`scanning.md#ambiguous-codes`). Takes about 0.1 ms."""
        self.is_rechecking = self._catalogue.recheck()

    def _look_up_facts(self) -> None:
        operators = self._catalogue.operators
        self.facts = CatalogueFacts(
            missing=tuple(self._catalogue.missing_orders()[:_MISSING_MAX]),
            conflicts=self._catalogue.conflicts(),
            flaws=self._catalogue.flaws(),
            orders_left_out=self._catalogue.orders_left_out,
            blocked_left_out=self._catalogue.blocked_left_out,
            operators_revision=None if operators is None else operators.revision,
        )


def _sign_out_unlisted(commit: PendingCommit, listed: frozenset[str]) -> list[Alarm]:
    sign_out_unlisted(commit, listed)
    return []


def _sign_out_removed_stations(commit: PendingCommit, stations: Collection[str]) -> list[Alarm]:
    sign_out_removed_stations(commit, stations)
    return []

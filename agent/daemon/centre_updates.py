"""Apply the centre's messages to the catalogue, and to the state if they concern an open or counted order."""

from collections.abc import Callable, Collection
from functools import partial

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

_COMPARE_S = 2.0
"""How long to wait after an order index for the retained manifests, before missing ones are fetched one by one."""

_FACTS_S = 5.0
_MISSING_MAX = 100


class CatalogueFacts(Struct, frozen=True, kw_only=True):
    """What `health` reports of the catalogue: ids of missing orders, at most 100; codes with two meanings, in words."""

    missing: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    """What no label can match."""
    operators_revision: int | None = None


class CentreUpdates:
    """All methods are for the scan path's thread, which owns the catalogue.

    `decide` makes a decision and commits it; while the journal cannot be written, the decision waits. `later` runs what
    need not hold up the next scan. `on_changes` is told what the cache should keep, `on_wanted` which orders should be
    fetched singly. `facts` is replaced as a whole and may be read by any thread.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        stations: Collection[str],
        decide: Callable[[Decide], None],
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
        self._decide = decide
        self._later = later
        self._clock = clock
        self._on_changes = on_changes
        self._on_wanted = on_wanted
        self._compare_at: float | None = None
        self._facts_at = clock.monotonic()

    # -- messages of the centre ----------------------------------------------------------------------------------

    def take_manifest(self, manifest: Manifest, *, is_stored: bool) -> None:
        """Take a manifest; a revision that is not higher is ignored (`workflow.md#manifest-revisions`)."""
        in_force = self._catalogue.put_manifest(manifest, is_stored=is_stored)
        if in_force is not None:
            self._decide(partial(take_revision, manifest=in_force))

    def withdraw(self, order: str) -> None:
        withdrawn = self._catalogue.withdraw(order)
        if withdrawn is not None:
            self._decide(partial(take_revision, manifest=withdrawn))

    def take_operators(self, operators: Operators) -> None:
        """Take the list; who is signed in and no longer on it is signed out (`workflow.md#sign-out`)."""
        if self._catalogue.put_operators(operators):
            self._decide(partial(_sign_out_unlisted, listed=frozenset(operators.by_id)))

    def take_boxes(self, boxes: BoxSizes) -> None:
        self._catalogue.put_boxes(boxes)

    def take_blocked(self, part: BlockedPart) -> None:
        self._catalogue.put_blocked(part)

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
            self._decide(self._counted(part.order))

    def drop_counted(self, order: str, part: str) -> None:
        if self._catalogue.drop_counted(order, part):
            self._decide(self._counted(order))

    def recount(self, state: State) -> None:
        """Compare the counted parts of every order with the state again: the journal has a new id."""
        for order in state.orders:
            self._decide(self._counted(order))

    def _counted(self, order: str) -> Decide:
        return lambda commit: take_counted(commit, order, self._catalogue.counted(order))

    def take_verdict(self, verdict: Verdict) -> None:
        self._decide(partial(take_verdict, verdict=verdict))

    # -- between scans -------------------------------------------------------------------------------------------

    def reconcile(self, state: State) -> list[Decide]:
        """Update the catalogue from the state of a journal just opened; return what has to be decided.

        That is what the centre said, and what the configuration changed, while the journal was not open.
        """
        decisions: list[Decide] = []
        # The cache may be gone or old; the manifest of an order in the journal is never older than the order's counts.
        for order in state.orders.values():
            self._catalogue.put_manifest(order.manifest)
            newer = self._catalogue.manifest(order.id)
            if newer is not None and newer.revision > order.manifest.revision:
                decisions.append(partial(take_revision, manifest=newer))
            decisions.append(self._counted(order.id))
        if self._catalogue.operators is not None:
            decisions.append(partial(_sign_out_unlisted, listed=frozenset(self._catalogue.operators.by_id)))
        decisions.append(partial(_sign_out_removed_stations, stations=self._stations))
        return decisions

    def tick(self, now: float) -> None:
        """Pass on what is to be fetched and what is to be cached, and update `facts`."""
        self.recheck()
        if self._compare_at is not None and now >= self._compare_at:
            self._compare_at = None
            self._on_wanted(self._catalogue.to_fetch())
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
            operators_revision=None if operators is None else operators.revision,
        )


def _sign_out_unlisted(commit: PendingCommit, listed: frozenset[str]) -> list[Alarm]:
    sign_out_unlisted(commit, listed)
    return []


def _sign_out_removed_stations(commit: PendingCommit, stations: Collection[str]) -> list[Alarm]:
    sign_out_removed_stations(commit, stations)
    return []

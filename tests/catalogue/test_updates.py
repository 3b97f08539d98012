"""Any sequence of updates: the look-ups agree with a search of all that was put in."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.catalogue.catalogue import Catalogue
from agent.contract.manifest import Manifest, Status, same_case
from tests.contract.samples import manifest, operators

ORDERS = ["A", "B", "a"]
BARCODES = ["X", "Y", "A", "CASE-13"]
BADGES = ["x", "CASE-13", "Q"]


class Updates(RuleBasedStateMachine):
    """The catalogue's look-ups against what a search of all that was put in says."""

    def __init__(self) -> None:
        super().__init__()
        self.catalogue = Catalogue()
        self.orders: dict[str, Manifest] = {}
        self.withdrawn: set[str] = set()
        self.badges: dict[str, str] = {}
        self.lists = 0

    @rule(
        order=st.sampled_from(ORDERS),
        revision=st.integers(1, 5),
        status=st.sampled_from(["open", "packed", "cancelled"]),
        barcodes=st.lists(st.sampled_from(BARCODES), max_size=2),
        lines=st.booleans(),
    )
    def put(self, order: str, revision: int, status: str, barcodes: list[str], lines: bool) -> None:
        fields: dict[str, object] = {"revision": revision, "status": status, "barcodes": barcodes}
        arrived = manifest(order, **fields) if lines else manifest(order, lines=[], **fields)
        known = self.orders.get(order)
        is_news = known is None or order in self.withdrawn or revision > known.revision
        assert (self.catalogue.put_manifest(arrived) is not None) == is_news
        if is_news:
            # A manifest that closes the order and has no lines keeps those that are known.
            if known is not None and order in self.withdrawn:
                known = known.tombstone()
            self.orders[order] = arrived.closing(known)
            self.withdrawn.discard(order)

    @rule(order=st.sampled_from(ORDERS))
    def withdraw(self, order: str) -> None:
        is_news = order in self.orders and order not in self.withdrawn
        assert (self.catalogue.withdraw(order) is not None) == is_news
        if is_news:
            self.withdrawn.add(order)

    @rule(badges=st.lists(st.sampled_from(BADGES), unique=True))
    def list_operators(self, badges: list[str]) -> None:
        self.lists += 1
        self.badges = {same_case(badge): f"E{n}" for n, badge in enumerate(badges)}
        self.catalogue.put_operators(operators({f"E{n}": [b] for n, b in enumerate(badges)}, revision=self.lists))

    @invariant()
    def look_ups_agree(self) -> None:
        while self.catalogue.recheck():
            pass
        for code in {same_case(code) for code in ORDERS + BARCODES + BADGES}:
            claims = [order for order, one in self.orders.items() if code in one.codes]
            live = [order for order in self.orders if order not in self.withdrawn]
            claims_open = [o for o in claims if o in live and self.orders[o].status is Status.OPEN]
            found = self.catalogue.orders_by_code(code)
            assert sorted(found) == sorted(claims)
            assert set(found[: len(claims_open)]) == set(claims_open)
            clashes = code in self.badges and any(
                code in self.orders[o].codes or code in self.orders[o].sku_by_code for o in live
            )
            assert self.catalogue.is_ambiguous(code) == (len(claims_open) > 1 or clashes)
        for order, one in self.orders.items():
            kept = self.catalogue.manifest(order)
            assert kept is not None
            assert kept == (one.tombstone() if order in self.withdrawn else one)


TestUpdates = Updates.TestCase
TestUpdates.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

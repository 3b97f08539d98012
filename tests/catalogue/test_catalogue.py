import hashlib
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.catalogue.cache import Cache, Forgotten, Loaded, StoredOrder, StoredReference
from agent.catalogue.catalogue import MAX_WITHDRAWN, Catalogue
from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSize
from agent.contract.manifest import Manifest, Status, same_case
from agent.contract.messages import blocked_of, boxes_of, order_index_of
from agent.contract.operators import Operators
from agent.contract.order_index import OrderIndex
from tests.contract.samples import MANIFEST, manifest, operators, payload


def index(revision: int, **orders: int) -> OrderIndex:
    return order_index_of(payload({"revision": revision, "orders": orders}), topic="t")


def blocked(part: str, revision: int, *items: str) -> BlockedPart:
    return blocked_of(part, payload({"revision": revision, "items": items}), topic="t")


def status_of(catalogue: Catalogue, order: str) -> Status | None:
    found = catalogue.manifest(order)
    return None if found is None else found.status


def revision_of(catalogue: Catalogue, order: str) -> int | None:
    found = catalogue.manifest(order)
    return None if found is None else found.revision


# -- orders ------------------------------------------------------------------------------------------------------


def test_manifest_is_taken_and_found() -> None:
    catalogue = Catalogue()
    taken = manifest("SO-1", barcodes=["desk-7"])
    assert catalogue.put_manifest(taken) is taken
    assert catalogue.orders_by_code("so-1") == catalogue.orders_by_code("DESK-7") == ("SO-1",)
    assert catalogue.manifest("SO-1") == taken
    assert status_of(catalogue, "SO-1") is Status.OPEN
    assert revision_of(catalogue, "SO-1") == 3
    assert len(catalogue) == 1


def test_unknown_order_is_nothing() -> None:
    catalogue = Catalogue()
    assert catalogue.orders_by_code("SO-1") == ()
    assert catalogue.manifest("SO-1") is None
    assert status_of(catalogue, "SO-1") is None
    assert revision_of(catalogue, "SO-1") is None
    assert catalogue.withdraw("SO-1") is None


@pytest.mark.parametrize("revision", [1, 3])
def test_revision_that_is_not_higher_is_ignored(revision: int) -> None:
    """Rule: workflow.md#manifest-revisions."""
    catalogue = Catalogue()
    catalogue.put_manifest(manifest("SO-1"))
    catalogue.take_changes()
    assert catalogue.put_manifest(manifest("SO-1", revision=revision, status="cancelled")) is None
    assert status_of(catalogue, "SO-1") is Status.OPEN
    assert catalogue.take_changes() == ()


def test_higher_revision_takes_the_place_of_the_older() -> None:
    catalogue = Catalogue()
    catalogue.put_manifest(manifest("SO-1", barcodes=["old", "both"]))
    newer = manifest("SO-1", revision=4, barcodes=["new", "both"])
    assert catalogue.put_manifest(newer) is newer
    assert catalogue.manifest("SO-1") == newer
    assert catalogue.orders_by_code("old") == ()
    assert catalogue.orders_by_code("new") == catalogue.orders_by_code("both") == ("SO-1",)


def test_withdrawn_order_keeps_its_barcodes_and_comes_back_at_any_revision() -> None:
    catalogue = Catalogue()
    first = manifest("SO-1", barcodes=["X"])
    catalogue.put_manifest(first)
    gone = catalogue.withdraw("SO-1")
    assert gone is not None
    assert (gone.status, gone.lines) == (Status.WITHDRAWN, first.lines)
    assert catalogue.orders_by_code("x") == ("SO-1",)
    assert status_of(catalogue, "SO-1") is Status.WITHDRAWN
    kept = catalogue.manifest("SO-1")
    assert kept is not None
    assert (kept.status, kept.lines) == (Status.WITHDRAWN, ())
    assert len(catalogue) == 0
    assert catalogue.withdraw("SO-1") is None
    assert catalogue.put_manifest(manifest("SO-1", revision=1)) is not None
    assert status_of(catalogue, "SO-1") is Status.OPEN


def test_parsed_manifests_are_read_again_when_needed() -> None:
    catalogue = Catalogue()
    all_of_them = [manifest(f"SO-{n}", revision=n) for n in range(30)]
    for one in all_of_them:
        catalogue.put_manifest(one)
    assert [catalogue.manifest(one.order) for one in all_of_them] == all_of_them


def test_only_the_newest_withdrawn_orders_are_remembered() -> None:
    catalogue = Catalogue()
    for n in range(MAX_WITHDRAWN):
        catalogue.restore_order(
            StoredOrder(order=f"OLD-{n}", revision=1, status=Status.WITHDRAWN, codes=(f"OLD-{n}",), source="")
        )
    catalogue.put_manifest(manifest("SO-1"))
    catalogue.withdraw("SO-1")
    assert catalogue.orders_by_code("OLD-0") == ()
    assert catalogue.orders_by_code("OLD-1") == ("OLD-1",)
    assert Forgotten(order="OLD-0") in catalogue.take_changes()


def test_order_that_cannot_be_read_is_forgotten_and_taken_again() -> None:
    catalogue = Catalogue()
    catalogue.restore_order(StoredOrder(order="A", revision=9, status=Status.OPEN, codes=("A",), source="{"))
    assert catalogue.manifest("A") is None
    assert catalogue.orders_by_code("A") == ()
    assert catalogue.take_changes() == (Forgotten(order="A"),)
    assert catalogue.put_manifest(manifest("A")) is not None


def test_restored_order_does_not_replace_what_is_here() -> None:
    catalogue = Catalogue()
    catalogue.put_manifest(manifest("SO-1"))
    catalogue.restore_order(StoredOrder(order="SO-1", revision=9, status=Status.PACKED, codes=(), source=""))
    assert revision_of(catalogue, "SO-1") == 3


# -- barcodes and badges -----------------------------------------------------------------------------------------


def test_barcode_of_two_open_orders_is_ambiguous_until_one_is_closed() -> None:
    """Rule: scanning.md#ambiguous-codes."""
    catalogue = Catalogue()
    catalogue.put_manifest(manifest("SO-1", barcodes=["shared"], status="packed"))
    catalogue.put_manifest(manifest("SO-2", barcodes=["SHARED"]))
    assert not catalogue.is_ambiguous("shared")
    assert catalogue.orders_by_code("shared") == ("SO-2", "SO-1")
    catalogue.put_manifest(manifest("SO-1", barcodes=["shared"], revision=4))
    assert catalogue.is_ambiguous("Shared")
    assert catalogue.conflicts() == ("barcode SHARED: open orders SO-2, SO-1",)
    catalogue.withdraw("SO-2")
    assert not catalogue.is_ambiguous("shared")
    assert catalogue.orders_by_code("shared") == ("SO-1", "SO-2")
    assert catalogue.conflicts() == ()


def test_order_ids_that_differ_in_case_claim_the_same_barcode() -> None:
    catalogue = Catalogue()
    catalogue.put_manifest(manifest("so-1"))
    catalogue.put_manifest(manifest("SO-1"))
    assert catalogue.is_ambiguous("SO-1")


CLASHES = {
    "order": "so-1",
    "barcode": "DESK-7",
    "sku": "p13-128-blk",
    "gtin as listed": "9506000134352",
    "gtin of 14 digits": "09506000134352",
    "unit": "490154203237526",
    "serial": "SNABC1",
}


@pytest.mark.parametrize("salt", [None, "salt"])
@pytest.mark.parametrize("badge", CLASHES.values(), ids=CLASHES)
@pytest.mark.parametrize("manifest_first", [True, False])
def test_badge_that_means_something_else_is_ambiguous(badge: str, salt: str | None, manifest_first: bool) -> None:
    """Rule: scanning.md#ambiguous-codes."""
    listed = badge if salt is None else hashlib.sha256((salt + badge.upper()).encode()).hexdigest()
    people = operators({"E7": [listed], "E8": ["f" * 64]}, salt=salt)
    clashing = manifest("SO-1", barcodes=["desk-7"])
    catalogue = Catalogue()
    if manifest_first:
        catalogue.put_manifest(clashing)
        catalogue.put_operators(people)
    else:
        catalogue.put_operators(people)
        catalogue.put_manifest(clashing)
    while catalogue.recheck():
        pass
    assert catalogue.find_operator(badge) == people.by_id["E7"]
    assert catalogue.is_ambiguous(badge)
    assert catalogue.conflicts() == ("operator E7: a badge equals a code of order SO-1",)
    catalogue.withdraw("SO-1")
    assert not catalogue.is_ambiguous(badge)
    assert catalogue.conflicts() == ()


def test_upc_of_12_digits_is_the_badge_that_equals_it() -> None:
    catalogue = Catalogue()
    catalogue.put_operators(operators({"E7": ["012345678905"], "E8": ["12345678905"]}))
    line = {"line": "1", "sku": "S", "flow": "used", "serialized": False, "quantity": 1, "gtins": ["00012345678905"]}
    catalogue.put_manifest(manifest("SO-1", lines=[line]))
    assert catalogue.is_ambiguous("012345678905")
    assert not catalogue.is_ambiguous("12345678905")


def test_badge_stays_ambiguous_until_the_last_order_with_it_is_gone() -> None:
    catalogue = Catalogue()
    catalogue.put_operators(operators({"E7": ["CASE-13"]}))
    catalogue.put_manifest(manifest("SO-1"))
    catalogue.put_manifest(manifest("SO-2"))
    catalogue.withdraw("SO-1")
    assert catalogue.is_ambiguous("case-13")
    catalogue.put_manifest(manifest("SO-2", revision=4, lines=[]))
    assert not catalogue.is_ambiguous("case-13")


def test_badge_of_two_operators_is_ambiguous() -> None:
    """Rule: scanning.md#ambiguous-codes."""
    catalogue = Catalogue()
    catalogue.put_operators(operators({"E7": ["A1"], "E8": ["a1"]}))
    assert catalogue.is_ambiguous("A1")
    assert catalogue.conflicts() == ("operator E7: a badge is listed for another operator too",)


def test_recheck_keeps_to_its_budget() -> None:
    catalogue = Catalogue()
    for n in range(5):
        catalogue.put_manifest(manifest(f"SO-{n}"))
    catalogue.put_operators(operators({"E7": ["CASE-13"]}))
    assert catalogue.recheck(2)
    assert len(catalogue.conflicts()) == 2
    assert catalogue.recheck(2)
    assert not catalogue.recheck(2)
    assert len(catalogue.conflicts()) == 5


def _salted(*badges: str, revision: int = 1) -> Operators:
    listed = [hashlib.sha256(f"pepper{badge}".encode()).hexdigest() for badge in badges]
    return operators({"E7": listed}, salt="pepper", revision=revision)


def _with_units(order: str, units: int) -> Manifest:
    listed = [[f"{order}-{n:04d}"] for n in range(units)]
    return manifest(order, lines=[{**MANIFEST["lines"][0], "units": listed}])


def test_salted_check_of_a_long_order_is_made_in_pieces() -> None:
    catalogue = Catalogue()
    catalogue.put_operators(_salted("SO-1-0999", "SO-2-0000"))
    catalogue.put_manifest(_with_units("SO-1", 1000))
    catalogue.put_manifest(_with_units("SO-2", 1))
    pieces = 1
    while catalogue.recheck():
        pieces += 1
    assert pieces > 5
    assert [catalogue.is_ambiguous(code) for code in ("SO-1-0999", "SO-2-0000", "SO-1-0998")] == [True, True, False]
    assert len(catalogue.conflicts()) == 2


def test_check_begun_of_an_order_that_is_withdrawn_is_dropped() -> None:
    catalogue = Catalogue()
    catalogue.put_operators(_salted("SO-1-0000", "SO-2-0000"))
    catalogue.put_manifest(_with_units("SO-1", 1000))
    catalogue.put_manifest(_with_units("SO-2", 1))
    assert catalogue.recheck()
    catalogue.withdraw("SO-1")
    while catalogue.recheck():
        pass
    assert [catalogue.is_ambiguous(code) for code in ("SO-1-0000", "SO-2-0000")] == [False, True]


def test_check_begun_of_an_order_that_is_revised_or_with_an_older_list_starts_anew() -> None:
    catalogue = Catalogue()
    catalogue.put_operators(_salted("SO-1-0000"))
    catalogue.put_manifest(_with_units("SO-1", 1000))
    assert catalogue.recheck()
    catalogue.put_manifest(manifest("SO-1", revision=4, lines=[]))
    while catalogue.recheck():
        pass
    assert not catalogue.is_ambiguous("SO-1-0000")

    catalogue.put_manifest(_with_units("SO-3", 1000))
    assert catalogue.recheck()
    catalogue.put_operators(_salted("SO-3-0001", revision=2))
    while catalogue.recheck():
        pass
    assert [catalogue.is_ambiguous(code) for code in ("SO-3-0000", "SO-3-0001")] == [False, True]


def test_conflicts_are_bounded() -> None:
    catalogue = Catalogue()
    catalogue.put_operators(operators({"E7": ["CASE-13"]}))
    for n in range(60):
        catalogue.put_manifest(manifest(f"SO-{n}", barcodes=[f"B-{n // 2}"]))
    assert len(catalogue.conflicts()) == 50


# -- reference ---------------------------------------------------------------------------------------------------


def test_operators_are_taken_unless_older() -> None:
    """Rules: mqtt.md#operators-list, mqtt.md#refused-messages."""
    catalogue = Catalogue()
    assert catalogue.find_operator("A") is None
    second = operators({"E7": ["A"]}, revision=2)
    assert catalogue.put_operators(second)
    assert not catalogue.put_operators(second)
    assert not catalogue.put_operators(operators({"E8": ["A"]}, revision=1))
    assert catalogue.operators == second
    assert catalogue.put_operators(operators({"E9": ["A"]}, revision=2))
    found = catalogue.find_operator("a")
    assert found is not None
    assert found.id == "E9"


def test_box_sizes_are_taken_unless_older() -> None:
    """Rules: mqtt.md#box-sizes, mqtt.md#refused-messages."""

    def sizes(revision: int, *codes: str) -> bool:
        items = [{"code": code, "length_mm": 3, "width_mm": 2, "height_mm": 1} for code in codes]
        return catalogue.put_boxes(boxes_of(payload({"revision": revision, "items": items}), topic="t"))

    catalogue = Catalogue()
    assert catalogue.size("M") is None
    assert sizes(2, "M")
    assert not sizes(2, "M")
    assert not sizes(1, "L")
    assert catalogue.size("m") == BoxSize(code="M", length_mm=3, width_mm=2, height_mm=1)
    assert catalogue.size("L") is None


def test_blocked_parts_add_up_and_are_taken_unless_older() -> None:
    """Rules: mqtt.md#blocked-units, mqtt.md#refused-messages."""
    catalogue = Catalogue()
    assert not catalogue.is_blocked("SN1")
    assert catalogue.put_blocked(blocked("a", 2, "sn1"))
    assert catalogue.put_blocked(blocked("b", 1, "sn2"))
    assert not catalogue.put_blocked(blocked("a", 1))
    assert not catalogue.put_blocked(blocked("a", 2, "SN1"))
    assert catalogue.is_blocked("SN1")
    assert catalogue.is_blocked("Sn2")
    assert catalogue.put_blocked(blocked("a", 3))
    assert not catalogue.is_blocked("SN1")


def test_order_index_names_what_to_fetch() -> None:
    """Rule: mqtt.md#order-index."""
    catalogue = Catalogue()
    assert catalogue.to_fetch() == catalogue.missing_orders() == []
    for order in ("current", "old", "gone", "newer"):
        catalogue.put_manifest(manifest(order))
    catalogue.withdraw("gone")
    assert catalogue.put_order_index(index(7, current=3, old=4, gone=3, newer=2, absent=1)) == []
    assert catalogue.to_fetch() == ["old", "gone", "absent"]
    assert catalogue.missing_orders() == ["gone", "absent"]


def test_newer_order_index_withdraws_what_it_lacks() -> None:
    """Rule: mqtt.md#order-index."""
    catalogue = Catalogue()
    for order in ("A", "B", "C"):
        catalogue.put_manifest(manifest(order))
    catalogue.withdraw("C")
    assert catalogue.put_order_index(index(7, A=3)) == ["B"]
    catalogue.put_manifest(manifest("D"))
    assert catalogue.put_order_index(index(7, A=3)) == []
    assert catalogue.put_order_index(index(7, A=3, E=1)) == []
    assert catalogue.missing_orders() == ["E"]
    assert catalogue.put_order_index(index(6, A=3)) == []
    assert catalogue.missing_orders() == ["E"]
    assert catalogue.put_order_index(index(8, A=3, B=3)) == ["D"]


def test_what_the_index_withdrew_does_not_come_back_out_of_the_broker_s_store() -> None:
    """Rule: mqtt.md#order-index."""
    catalogue = Catalogue()
    catalogue.put_manifest(manifest("A"))
    catalogue.put_order_index(index(7))
    catalogue.withdraw("A")
    assert catalogue.put_manifest(manifest("A"), is_stored=True) is None
    assert status_of(catalogue, "A") is Status.WITHDRAWN
    catalogue.put_order_index(index(8, A=3))
    assert catalogue.to_fetch() == ["A"]
    assert catalogue.put_manifest(manifest("A"), is_stored=True) is not None


def test_withdrawn_order_comes_back_by_a_new_message_whatever_the_index_says() -> None:
    catalogue = Catalogue()
    for order in ("A", "B"):
        catalogue.put_manifest(manifest(order))
    catalogue.put_order_index(index(7))
    for order in ("A", "B"):
        catalogue.withdraw(order)
    assert catalogue.put_manifest(manifest("A")) is not None
    assert catalogue.put_manifest(manifest("B", revision=4), is_stored=True) is not None


def test_without_an_index_a_withdrawn_order_comes_back_out_of_the_store_too() -> None:
    catalogue = Catalogue()
    catalogue.put_manifest(manifest("A"))
    catalogue.withdraw("A")
    assert catalogue.put_manifest(manifest("A"), is_stored=True) is not None


def test_changes_hold_the_newest_of_each_thing_once() -> None:
    catalogue = Catalogue()
    catalogue.put_manifest(manifest("SO-1"))
    newest = manifest("SO-1", revision=4, barcodes=["x"])
    catalogue.put_manifest(newest)
    catalogue.put_blocked(blocked("a", 1, "SN1"))
    changes = catalogue.take_changes()
    order, part = changes
    assert isinstance(order, StoredOrder)
    assert (order.order, order.revision, order.source) == ("SO-1", 4, newest.source)
    assert set(order.codes) == {"SO-1", "X"}
    assert part == StoredReference(name="blocked/a", source='{"revision":1,"items":["SN1"]}')
    assert catalogue.take_changes() == ()


# -- out of the cache ---------------------------------------------------------------------------------------------


def test_catalogue_comes_back_from_the_cache(tmp_path: Path) -> None:
    before = Catalogue()
    people = operators({"E7": ["CASE-13"]})
    boxes = {"revision": 1, "items": [{"code": "M", "length_mm": 3, "width_mm": 2, "height_mm": 1}]}
    before.put_operators(people)
    before.put_boxes(boxes_of(payload(boxes), topic="t"))
    before.put_blocked(blocked_of("a/b", payload({"revision": 1, "items": ["SN1"]}), topic="t"))
    before.put_order_index(order_index_of(payload({"revision": 7, "orders": {"SO-3": 1}}), topic="t"))
    before.put_manifest(manifest("SO-1", barcodes=["x"]))
    before.put_manifest(manifest("SO-2"))
    before.withdraw("SO-2")
    cache = Cache(tmp_path)
    cache.add(before.take_changes())
    cache.save_all()

    after = Catalogue()
    assert after.restore(cache.load()) == []
    assert after.take_changes() == ()
    assert after.operators == people
    assert after.size("M") == before.size("M")
    assert after.is_blocked("sn1")
    assert after.to_fetch() == ["SO-3"]
    assert after.manifest("SO-1") == before.manifest("SO-1")
    assert after.orders_by_code("X") == ("SO-1",)
    assert status_of(after, "SO-2") is Status.WITHDRAWN
    while after.recheck():
        pass
    assert after.conflicts() == before.conflicts() != ()
    newer = order_index_of(payload({"revision": 8, "orders": {}}), topic="t")
    assert after.put_order_index(newer) == ["SO-1"]


def test_reference_that_is_refused_is_named_and_left_out() -> None:
    catalogue = Catalogue()
    good = StoredReference(name="operators", source=operators({"E7": ["A"]}).source)
    bad = [StoredReference(name="boxes", source="{}"), StoredReference(name="weather", source="{}")]
    refused = catalogue.restore(Loaded(references=(*bad, good)))
    assert [line.split(":")[1].strip() for line in refused] == ["boxes", "weather"]
    assert catalogue.operators is not None


# -- any sequence of updates -------------------------------------------------------------------------------------

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
            self.orders[order] = arrived
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
            assert revision_of(self.catalogue, order) == one.revision
            assert status_of(self.catalogue, order) is (Status.WITHDRAWN if order in self.withdrawn else one.status)
            if order not in self.withdrawn:
                assert self.catalogue.manifest(order) == one


TestUpdates = Updates.TestCase
TestUpdates.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

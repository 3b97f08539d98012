"""Everything the centre told, in memory.

Rules: `workflow.md#manifest-revisions`, `mqtt.md#order-index`.
"""

import json
from pathlib import Path

import pytest

from agent.catalogue.cache import Cache, Forgotten, Loaded, ReferenceForgotten, StoredOrder, StoredReference
from agent.catalogue.catalogue import Catalogue
from agent.catalogue.kept_orders import MAX_WITHDRAWN
from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSize
from agent.contract.manifest import Manifest, Status
from agent.contract.messages import blocked_of, boxes_of, manifest_of, order_index_of
from agent.contract.order_index import OrderIndex
from tests.contract.samples import manifest, operators, payload


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


def test_flaws_come_and_go_with_their_order_and_survive_the_cache() -> None:
    """`mqtt.md#data-that-no-label-can-match`"""

    def manifest(sku: str, revision: int) -> Manifest:
        line = {"line": "1", "sku": sku, "serialized": False, "quantity": 1, "flow": "used"}
        document = {"order": "SO-1", "revision": revision, "type": "normal", "status": "open", "lines": [line]}
        return manifest_of("SO-1", json.dumps(document).encode(), topic="order/SO-1")

    catalogue = Catalogue()
    catalogue.put_manifest(manifest("P13 ", 1))
    stored = tuple(change for change in catalogue.take_changes() if isinstance(change, StoredOrder))
    (flaw,) = catalogue.flaws()
    assert flaw.startswith("order SO-1, line 1, sku: ")
    restored = Catalogue()
    restored.restore(Loaded(orders=stored))
    assert restored.flaws() == (flaw,)
    restored.put_manifest(manifest("P13", 2))
    assert restored.flaws() == ()


def test_orders_beyond_the_limit_are_left_out_and_counted() -> None:
    """Rule: mqtt.md#bounded-memory."""
    catalogue = Catalogue(max_orders=3)
    for number in range(5):
        catalogue.put_manifest(manifest(f"SO-{number}", barcodes=[]))
    assert (len(catalogue), catalogue.orders_left_out) == (3, 2)
    assert status_of(catalogue, "SO-4") is None
    assert catalogue.put_manifest(manifest("SO-1", revision=9, barcodes=[])) is not None, "a revision needs no room"
    assert catalogue.put_manifest(manifest("SO-5", barcodes=[]), is_needed=True) is not None
    assert catalogue.take_wanted_again() == []
    catalogue.withdraw("SO-0")
    catalogue.withdraw("SO-1")
    assert catalogue.take_wanted_again() == ["SO-3"]
    assert catalogue.put_manifest(manifest("SO-3", barcodes=[])) is not None
    assert (len(catalogue), catalogue.orders_left_out) == (3, 1)
    catalogue.withdraw("SO-4")
    assert catalogue.orders_left_out == 0


def test_an_open_order_takes_the_place_of_a_closed_one() -> None:
    """Rule: mqtt.md#bounded-memory."""
    catalogue = Catalogue(max_orders=2)
    catalogue.put_manifest(manifest("SO-1", barcodes=[], status="packed"))
    catalogue.put_manifest(manifest("SO-2", barcodes=[]))
    catalogue.put_manifest(manifest("SO-3", barcodes=[], status="packed"))
    assert status_of(catalogue, "SO-3") is None
    catalogue.put_manifest(manifest("SO-4", barcodes=[]))
    assert (status_of(catalogue, "SO-1"), status_of(catalogue, "SO-4")) == (None, Status.OPEN)
    assert catalogue.orders_left_out == 2


def test_a_cache_of_more_orders_than_now_allowed_is_cut() -> None:
    whole = Catalogue()
    for number in range(4):
        whole.put_manifest(manifest(f"SO-{number}", barcodes=[]))
    stored = tuple(one for one in whole.take_changes() if isinstance(one, StoredOrder))
    catalogue = Catalogue(max_orders=3)
    for one in stored:
        catalogue.restore_order(one)
    assert (len(catalogue), catalogue.orders_left_out) == (3, 1)


def test_a_part_of_the_blocked_units_can_be_removed() -> None:
    """Rule: mqtt.md#blocked-units."""
    catalogue = Catalogue()
    catalogue.put_blocked(blocked("1", 5, "490154203237518"))
    assert catalogue.drop_blocked("1")
    assert not catalogue.is_blocked("490154203237518")
    assert ReferenceForgotten(name="blocked/1") in catalogue.take_changes()
    assert not catalogue.drop_blocked("1")
    assert catalogue.put_blocked(blocked("1", 1, "490154203237526")), "it begins again"


def test_parts_of_the_blocked_units_are_limited_and_counted() -> None:
    """Rule: mqtt.md#bounded-memory."""
    catalogue = Catalogue()
    for part in range(300):
        catalogue.put_blocked(blocked(str(part), 1, "490154203237518"))
    assert catalogue.blocked_left_out == 44
    catalogue.drop_blocked("0")
    assert catalogue.put_blocked(blocked("299", 1, "490154203237518"))
    assert catalogue.put_blocked(blocked("1", 2, "490154203237518")), "a known part is never left out"

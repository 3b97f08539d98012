"""Which index message speaks for an order, and what it withdraws (`mqtt.md#order-index`)."""

from agent.catalogue.catalogue import Catalogue
from agent.contract.messages import order_index_of
from agent.contract.order_index import OrderIndex, part_of
from tests.contract.samples import manifest, payload

ONE = "SO-1"
PART = part_of(ONE)
OTHER = next(f"X-{n}" for n in range(100) if part_of(f"X-{n}") != PART)
SAME = next(f"Y-{n}" for n in range(1000) if part_of(f"Y-{n}") == PART)


def index(revision: int, orders: dict[str, int], part: str | None = None) -> OrderIndex:
    return order_index_of(payload({"revision": revision, "orders": orders}), topic="t", part=part)


def catalogue() -> Catalogue:
    found = Catalogue()
    for order in (ONE, OTHER, SAME):
        found.put_manifest(manifest(order))
    return found


def test_a_part_withdraws_only_orders_of_its_own() -> None:
    found = catalogue()
    assert found.put_order_index(index(1, {ONE: 3}, PART)) == [SAME]


def test_an_empty_part_withdraws_all_of_its_own() -> None:
    found = catalogue()
    assert sorted(found.put_order_index(index(1, {}, PART))) == sorted([ONE, SAME])


def test_the_whole_index_says_nothing_about_orders_whose_part_is_there() -> None:
    found = catalogue()
    found.put_order_index(index(1, {ONE: 3, SAME: 3}, PART))
    assert found.put_order_index(index(1, {})) == [OTHER]
    assert found.missing_orders() == []
    assert found.put_order_index(index(2, {"NEW": 1, SAME: 9})) == [OTHER]
    assert found.missing_orders() == (["NEW"] if part_of("NEW") != PART else [])
    assert SAME not in found.to_fetch()


def test_removing_a_part_withdraws_nothing() -> None:
    found = catalogue()
    found.put_order_index(index(5, {ONE: 3, SAME: 4}, PART))
    assert found.to_fetch() == [SAME]
    found.take_changes()
    found.drop_order_index(PART)
    assert found.to_fetch() == []
    assert [change.name for change in found.take_changes() if hasattr(change, "name")] == [f"orders/{PART}"]
    assert found.put_order_index(index(1, {ONE: 3}, PART)) == [SAME], "its revisions begin again"


def test_an_equal_or_older_part_withdraws_nothing() -> None:
    found = catalogue()
    found.put_order_index(index(5, {ONE: 3, SAME: 3}, PART))
    assert found.put_order_index(index(5, {ONE: 3}, PART)) == []
    assert found.put_order_index(index(4, {}, PART)) == []

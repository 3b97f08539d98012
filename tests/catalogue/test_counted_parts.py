"""Parts of what other kiosks have counted, in the catalogue and in its cache (`mqtt.md#counted-parts`)."""

from pathlib import Path

from agent.catalogue.cache import Cache
from agent.catalogue.catalogue import Catalogue
from agent.catalogue.counted_parts import MAX_COUNTED_ORDERS, CountedParts
from agent.contract.counted import CountedBox, CountedPart


def part(order: str, name: str, revision: int, *boxes: str, kiosk: str = "dock-4") -> CountedPart:
    counted = tuple(CountedBox(box=box, kiosk=kiosk, contents=()) for box in boxes)
    return CountedPart(order=order, part=name, revision=revision, boxes=counted)


def ids(boxes: tuple[CountedBox, ...]) -> list[str]:
    return [box.box for box in boxes]


def test_the_union_of_the_parts_is_told() -> None:
    parts = CountedParts()
    assert parts.put(part("SO-1", "b", 1, "B2", "B1", kiosk="dock-5"))
    assert parts.put(part("SO-1", "a", 1, "B1"))
    assert ids(parts.boxes("SO-1")) == ["B1", "B2"]
    assert parts.boxes("SO-1")[0].kiosk == "dock-4", "the part with the first name"
    assert parts.boxes("SO-2") == ()


def test_older_and_equal_parts_change_nothing() -> None:
    parts = CountedParts()
    assert parts.put(part("SO-1", "a", 2, "B1"))
    assert not parts.put(part("SO-1", "a", 1, "B2"))
    assert not parts.put(part("SO-1", "a", 2, "B1"))
    assert parts.put(part("SO-1", "a", 2, "B3")), "the centre has published other contents under the same revision"
    assert ids(parts.boxes("SO-1")) == ["B3"]


def test_an_empty_message_removes_its_part() -> None:
    parts = CountedParts()
    parts.put(part("SO-1", "a", 2, "B1"))
    assert parts.drop("SO-1", "a")
    assert not parts.drop("SO-1", "a")
    assert parts.boxes("SO-1") == ()
    assert parts.put(part("SO-1", "a", 1, "B1")), "its revisions begin again"


def test_the_number_of_orders_is_bounded() -> None:
    parts = CountedParts()
    for number in range(MAX_COUNTED_ORDERS + 1):
        parts.put(part(f"SO-{number}", "a", 1, "B1"))
    assert parts.boxes("SO-0") == ()
    assert ids(parts.boxes(f"SO-{MAX_COUNTED_ORDERS}")) == ["B1"]


def test_the_cache_keeps_the_parts(tmp_path: Path) -> None:
    catalogue = Catalogue()
    catalogue.put_counted(part("SO-1", "a", 1, "B1"))
    catalogue.put_counted(part("SO-1", "b", 1, "B2"))
    catalogue.put_counted(part("SO-2", "a", 1, "B3"))
    cache = Cache(tmp_path)
    cache.add(catalogue.take_changes())
    cache.save_all()
    again = Catalogue()
    assert again.restore(Cache(tmp_path).load()) == []
    assert ids(again.counted("SO-1")) == ["B1", "B2"]
    again.drop_counted("SO-1", "a")
    again.drop_counted("SO-2", "a")
    cache.add(again.take_changes())
    cache.save_all()
    last = Catalogue()
    last.restore(Cache(tmp_path).load())
    assert (ids(last.counted("SO-1")), last.counted("SO-2")) == (["B2"], ())

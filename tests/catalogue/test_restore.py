from pathlib import Path

from agent.catalogue.cache import Cache
from agent.catalogue.catalogue import Catalogue
from agent.catalogue.restore import restore
from agent.catalogue.stored import Loaded, StoredReference
from agent.contract.manifest import Status
from agent.contract.messages import blocked_of, boxes_of, order_index_of
from tests.contract.samples import manifest, operators, payload


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
    cache.save(before.take_changes())

    after = Catalogue()
    assert restore(after, cache.load()) == []
    assert after.take_changes() == ()
    assert after.operators == people
    assert after.size("M") == before.size("M")
    assert after.is_blocked("sn1")
    assert after.to_fetch() == ["SO-3"]
    assert after.manifest("SO-1") == before.manifest("SO-1")
    assert after.orders_by_code("X") == ("SO-1",)
    assert after.status("SO-2") is Status.WITHDRAWN
    while after.recheck():
        pass
    assert after.conflicts() == before.conflicts() != ()
    newer = order_index_of(payload({"revision": 8, "orders": {}}), topic="t")
    assert after.put_order_index(newer) == ["SO-1"]


def test_reference_that_is_refused_is_named_and_left_out() -> None:
    catalogue = Catalogue()
    good = StoredReference(name="operators", source=operators({"E7": ["A"]}).source)
    bad = [StoredReference(name="boxes", source="{}"), StoredReference(name="weather", source="{}")]
    refused = restore(catalogue, Loaded(orders=(), references=(*bad, good), damaged=()))
    assert [line.split(":")[1].strip() for line in refused] == ["boxes", "weather"]
    assert catalogue.operators is not None

import pytest

from agent.contract.manifest import Status
from agent.contract.manifest_text import stored_manifest_of, tombstone, withdrawn
from agent.errors import CacheDamaged
from tests.catalogue.samples import manifest


def test_withdrawn_manifest_keeps_all_but_its_status() -> None:
    gone = withdrawn(manifest(barcodes=["X"], reopen=True))
    assert gone.status is Status.WITHDRAWN
    assert gone.lines == manifest().lines
    assert stored_manifest_of(gone.source) == gone
    assert stored_manifest_of(gone.source.encode()) == gone


def test_tombstone_keeps_only_what_opens_the_order() -> None:
    stone = tombstone(manifest(barcodes=["X"]))
    assert (stone.order, stone.revision, stone.status, stone.barcodes) == ("SO-1001", 3, Status.WITHDRAWN, ("X",))
    assert (stone.lines, stone.counted) == ((), ())
    assert stored_manifest_of(stone.source) == stone


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"order":"A"}', manifest().source[:-1], manifest().source.replace('"open"', '"ajar"')],
)
def test_what_is_no_source_is_damaged(text: str) -> None:
    with pytest.raises(CacheDamaged):
        stored_manifest_of(text)


def test_source_that_is_not_utf_8_is_damaged() -> None:
    with pytest.raises(CacheDamaged):
        stored_manifest_of(b"\xff")

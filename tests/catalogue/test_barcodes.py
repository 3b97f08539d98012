"""Which orders a barcode opens (`scanning.md#ambiguous-codes`)."""

from agent.catalogue.catalogue import Catalogue
from tests.contract.samples import manifest


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

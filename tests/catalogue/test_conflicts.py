"""Badges that mean something else too (`scanning.md#ambiguous-codes`)."""

import hashlib

import pytest

from agent.catalogue.catalogue import Catalogue
from agent.contract.manifest import Manifest
from agent.contract.operators import Operators
from tests.contract.samples import MANIFEST, manifest, operators

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


def test_unfinished_check_of_a_withdrawn_order_is_dropped() -> None:
    catalogue = Catalogue()
    catalogue.put_operators(_salted("SO-1-0000", "SO-2-0000"))
    catalogue.put_manifest(_with_units("SO-1", 1000))
    catalogue.put_manifest(_with_units("SO-2", 1))
    assert catalogue.recheck()
    catalogue.withdraw("SO-1")
    while catalogue.recheck():
        pass
    assert [catalogue.is_ambiguous(code) for code in ("SO-1-0000", "SO-2-0000")] == [False, True]


def test_unfinished_check_starts_over_with_a_new_revision_or_list() -> None:
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

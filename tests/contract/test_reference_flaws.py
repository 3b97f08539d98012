"""Reference data that no label can match (`mqtt.md#data-that-no-label-can-match`)."""

import json
from typing import Any

import pytest

from agent.contract.manifest import Manifest
from agent.contract.messages import blocked_of, manifest_of, operators_of
from agent.contract.reference_flaws import clean_identifier
from agent.contract.refused import MessageRefused


def parse(*units: list[str], sku: str = "P13", **more: Any) -> Manifest:
    line = {"line": "1", "sku": sku, "serialized": True, "quantity": 9, "flow": "used", "units": list(units)}
    document = {"order": "SO-1", "revision": 1, "type": "normal", "status": "open", "lines": [line], **more}
    return manifest_of(document["order"], json.dumps(document).encode(), topic="order/SO-1")


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("R58N123ABCD ", "R58N123ABCD"),
        ("\u00a0 R58N123ABCD\u200b\r\n", "R58N123ABCD"),
        ("\ufeffR58N 123", "R58N 123"),
        ("49-015420-323751-8", "490154203237518"),
        ("35 391110 123456 6", "353911101234566"),
        ("86.000000.000001.7", "860000000000017"),
        ("01234500/123456/1", "012345001234561"),
        ("49\u2011015420\u2013323751\u20148", "490154203237518"),
        ("49-015420-323751-7", "49-015420-323751-7"),
        ("353911101234566.0", "353911101234566.0"),
        ("SN-123-45", "SN-123-45"),
        ("00-000000-000000-0", "00-000000-000000-0"),
        ("   ", "   "),
    ],
)
def test_clean_identifier(written: str, cleaned: str) -> None:
    """`mqtt.md#data-that-no-label-can-match`"""
    assert clean_identifier(written) == cleaned
    manifest = parse([written])
    assert manifest.lines[0].units == ((cleaned,),)
    if written != cleaned:
        assert manifest.flaws[0].startswith("order SO-1, line 1, units.0.0: ")


@pytest.mark.parametrize(
    ("written", "units"),
    [
        ([["A1"], ["A1 "]], (("A1",),)),
        ([["A1 "], ["A1"]], (("A1",),)),
        ([["490154203237518"], ["49-015420-323751-8"]], (("490154203237518",),)),
        ([["A1", "A1 "]], (("A1",),)),
        ([["A1", "B1"], ["C1"], ["C1 ", "D1"], [" B1"]], (("A1", "B1"), ("C1", "D1"))),
        ([["A1 "], ["B1", "a1"]], (("A1", "B1"),)),
        ([["A 1"], ["B1"]], (("A 1",), ("B1",))),
    ],
)
def test_duplicates_are_one(written: list[list[str]], units: tuple[tuple[str, ...], ...]) -> None:
    """`mqtt.md#data-that-no-label-can-match`"""
    assert parse(*written).lines[0].units == units


@pytest.mark.parametrize("units", [[["A 1"], ["a 1"]], [["A 1", "A 1"]], [["A1"], ["A1"], ["B "]]])
def test_unit_written_twice_in_the_same_way_is_refused(units: list[list[str]]) -> None:
    """`mqtt.md#data-that-no-label-can-match`, `mqtt.md#refused-messages`"""
    with pytest.raises(MessageRefused, match="The same as"):
        parse(*units)


def test_duplicate_on_another_line_stays_on_the_first() -> None:
    """`mqtt.md#data-that-no-label-can-match`"""
    lines = [
        {"line": str(n), "sku": f"P{n}", "serialized": True, "quantity": 1, "flow": "used", "units": [[unit]]}
        for n, unit in enumerate(("A1", "A1 "))
    ]
    manifest = parse(lines=lines)
    assert [line.units for line in manifest.lines] == [(("A1",),), ()]
    assert any("line 1, units.0.0: the same as" in flaw for flaw in manifest.flaws)


@pytest.mark.parametrize(
    ("manifest", "where"),
    [
        (lambda: parse(sku=" P13 "), "line 1, sku"),
        (lambda: parse(sku="P\u000713"), "line 1, sku"),
        (lambda: parse(sku="ZKSAVEE"), "line 1, sku"),
        (lambda: parse(barcodes=["SO-77 "]), "barcodes.0"),
        (lambda: parse(barcodes=["ZL0042T"]), "barcodes"),
        (lambda: parse(barcodes=["A\tB"]), "barcodes"),
        (lambda: parse(["ZL0042T"]), "line 1, units"),
        (lambda: parse(["000000000000000"]), "line 1, units"),
        (lambda: parse(["p13"]), "line 1, units"),
        (lambda: parse(["SO-1"]), "line 1, units"),
        (lambda: parse(["A1\tB1"]), "line 1, units"),
        (lambda: parse(["  "]), "line 1, units"),
        (lambda: parse(order="SO-1 "), "order"),
    ],
)
def test_what_no_label_can_match_is_told(manifest: Any, where: str) -> None:
    """`mqtt.md#data-that-no-label-can-match`, `scanning.md#listed-texts-that-look-like-ours`"""
    flaws = manifest().flaws
    assert len(flaws) == 1
    assert flaws[0].startswith(("order SO-1, " + where, "order SO-1 , " + where))
    assert flaws[0].isprintable()


def test_gtin_with_a_wrong_check_digit_is_told_and_taken() -> None:
    """`mqtt.md#data-that-no-label-can-match`"""
    lines = [
        {"line": "7", "sku": "P13", "serialized": False, "quantity": 1, "flow": "used", "gtins": ["9506000134353"]}
    ]
    manifest = parse(lines=lines)
    assert manifest.flaws == ("order SO-1, line 7, gtins.0: 9506000134353 has a wrong check digit",)
    assert manifest.sku_by_code["09506000134353"] == "P13"


def test_good_manifest_has_no_flaws() -> None:
    """`mqtt.md#data-that-no-label-can-match`"""
    assert parse(["490154203237518", "AF0123450ABCDE"], ["R58 N-1"], barcodes=["Pallet 7"]).flaws == ()


def test_flaws_are_bounded() -> None:
    """`mqtt.md#data-that-no-label-can-match`"""
    flaws = parse(*([f"A{number} "] for number in range(100))).flaws
    assert len(flaws) == 21
    assert flaws[-1] == "order SO-1: and 80 more"


def test_badges_are_put_right_and_never_told() -> None:
    """`mqtt.md#data-that-no-label-can-match`, `scanning.md#a-badge-never-leaves-the-kiosk`"""
    items = [{"operator": "E7", "badges": [" CARD 99\u00a0", "ZKOUT9", "CARD\u00077"]}]
    operators = operators_of(json.dumps({"revision": 1, "items": items}).encode(), topic="operators")
    found = operators.find("card 99")
    assert found is not None
    assert found.id == "E7"
    assert any(flaw.startswith("operators list, operator E7, badges.0: ") for flaw in operators.flaws)
    assert not any("CARD" in flaw or "ZK" in flaw for flaw in operators.flaws)


def test_salted_badges_in_either_unicode_form() -> None:
    """`scanning.md#comparing-codes`, `mqtt.md#operators-list`"""
    import hashlib

    for written in ("REN\u00c9 1", "RENE\u0301 1"):
        digest = hashlib.sha256(("salt" + written).encode()).hexdigest()
        items = [{"operator": "E7", "badges": [digest]}]
        operators = operators_of(json.dumps({"revision": 1, "salt": "salt", "items": items}).encode(), topic="o")
        assert operators.find("ren\u00e9 1") is not None


def test_blocked_units_are_put_right() -> None:
    """`mqtt.md#data-that-no-label-can-match`, `mqtt.md#blocked-units`"""
    part = blocked_of("a", json.dumps({"revision": 1, "items": ["49-015420-323751-8", "X1 "]}).encode(), topic="b")
    assert part.identifiers == {"490154203237518", "X1"}
    assert len(part.flaws) == 2

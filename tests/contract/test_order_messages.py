"""Manifests as messages: each is refused as a whole, or becomes a whole manifest.

Rules: `mqtt.md#manifest`, `mqtt.md#json-values`, `mqtt.md#refused-messages`.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.manifest import CountedElsewhere, Flow, Line, Manifest, Role, Status
from agent.contract.refused import MessageRefused
from tests.contract.samples import GONE, JSON, MANIFEST, changed, outcome, parse, payload, refusal


def test_manifest_becomes_frozen_type() -> None:
    """Rule: mqtt.md#manifest."""
    manifest = parse(payload(MANIFEST))
    phone = Line(
        id="1",
        sku="P13-128-BLK",
        name="Phone 13 128 GB black",
        gtins=("09506000134352",),
        flow=Flow.USED,
        serialized=True,
        quantity=10,
        tacs=("49015420",),
        units=(("490154203237518", "490154203237526"), ("SNabc1",)),
        serial_length=(8, 12),
    )
    case = Line(
        id="2",
        sku="CASE-13",
        name=None,
        gtins=(),
        flow=Flow.USED,
        serialized=False,
        quantity=2,
        tacs=(),
        units=(),
        serial_length=None,
    )
    assert manifest == Manifest(
        order="SO-1001",
        revision=3,
        status=Status.OPEN,
        barcodes=("SO-1001", "Desk-7"),
        operators={Role.PICKING: "E7", Role.PACKING: "E8", Role.SHIPPING: "E9"},
        lines=(phone, case),
        counted=(CountedElsewhere(line="2", quantity=1, units=(), box="9A77000000000001"),),
        reopen=0,
    )


def test_tacs_are_sorted_and_each_once() -> None:
    document = changed(MANIFEST, ("lines", 0, "tacs"), ["49015420", "35000000", "49015420"])
    assert parse(payload(document)).lines[0].tacs == ("35000000", "49015420")


def test_line_of_a_pos_order_defaults_to_pos_and_may_say_otherwise() -> None:
    """Rule: mqtt.md#manifest."""
    document = changed(changed(MANIFEST, ("type",), "pos"), ("lines", 1, "flow"), GONE)
    assert [line.flow for line in parse(payload(document)).lines] == [Flow.USED, Flow.POS]


@pytest.mark.parametrize(
    "path",
    [
        ("barcodes",),
        ("operators",),
        ("operators", "packing"),
        ("counted",),
        ("reopen",),
        ("lines", 0, "name"),
        ("lines", 0, "gtins"),
        ("lines", 0, "tacs"),
        ("lines", 0, "units"),
        ("lines", 0, "serial_length"),
        ("counted", 0, "units"),
    ],
)
def test_null_is_the_same_as_absent(path: tuple[str | int, ...]) -> None:
    """Rule: mqtt.md#json-values."""
    document = changed(MANIFEST, path, None)
    assert parse(payload(document)) == parse(payload(changed(document, path, GONE)))


def test_unknown_fields_are_ignored() -> None:
    """Rule: mqtt.md#json-values."""
    document = changed(changed(MANIFEST, ("lines", 1, "colour"), ["\u0000", 1.5]), ("priority",), {"a": [None]})
    assert parse(payload(document)) == parse(payload(MANIFEST))


def test_duplicate_keys_are_harmless() -> None:
    data = payload(MANIFEST).replace(b'"revision": 3', b'"revision": 9, "revision": 3')
    assert parse(data) == parse(payload(MANIFEST))


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("order",), "SO-1002", "order"),
        (("order",), "so-1001", "order"),
        (("order",), GONE, "order"),
        (("order",), "", "order"),
        (("order",), "x" * 65, "order"),
        (("revision",), GONE, "revision"),
        (("revision",), "3", "revision"),
        (("revision",), 3.0, "revision"),
        (("revision",), True, "revision"),
        (("revision",), -1, "revision"),
        (("revision",), 2**63, "revision"),
        (("revision",), 10**4000, "revision"),
        (("type",), "NORMAL", "type"),
        (("type",), GONE, "type"),
        (("status",), "withdrawn", "status"),
        (("status",), None, "status"),
        (("reopen",), True, "reopen"),
        (("reopen",), "3", "reopen"),
        (("reopen",), -1, "reopen"),
        (("barcodes",), "SO-1001", "barcodes"),
        (("barcodes", 1), "x" * 65, "barcodes.1"),
        (("barcodes", 1), "a\nb", None),
        (("barcodes", 1), "", "barcodes.1"),
        (("barcodes", 1), 7, "barcodes.1"),
        (("operators",), ["E7"], "operators"),
        (("operators", "packing"), "e8", "operators.packing"),
        (("operators", "packing"), 8, "operators.packing"),
        (("lines",), GONE, "lines"),
        (("lines",), {}, "lines"),
        (("lines", 1), [], "lines.1"),
        (("lines", 1, "line"), "1", "lines.1.line"),
        (("lines", 1, "line"), 2, "lines.1.line"),
        (("lines", 1, "line"), GONE, "lines.1.line"),
        (("lines", 1, "sku"), "S" * 65, "lines.1.sku"),
        (("lines", 1, "sku"), "\u200e", None),
        (("lines", 1, "name"), 7, "lines.1.name"),
        (("lines", 1, "flow"), GONE, "lines.1.flow"),
        (("lines", 1, "flow"), None, "lines.1.flow"),
        (("lines", 1, "flow"), "Used", "lines.1.flow"),
        (("lines", 1, "serialized"), 0, "lines.1.serialized"),
        (("lines", 1, "serialized"), "false", "lines.1.serialized"),
        (("lines", 1, "serialized"), None, "lines.1.serialized"),
        (("lines", 1, "quantity"), 0, "lines.1.quantity"),
        (("lines", 1, "quantity"), True, "lines.1.quantity"),
        (("lines", 1, "quantity"), "2", "lines.1.quantity"),
        (("lines", 1, "quantity"), 2.0, "lines.1.quantity"),
        (("lines", 1, "quantity"), 10**18, "lines.1.quantity"),
        (("lines", 1, "units"), [["SN1"]], "lines.1.units"),
        (("lines", 0, "gtins", 0), "950600013435", None),
        (("lines", 0, "gtins", 0), "95060001343520000", "lines.0.gtins.0"),
        (("lines", 0, "gtins", 0), "950600013", "lines.0.gtins.0"),
        (("lines", 0, "gtins", 0), "９506000134352", "lines.0.gtins.0"),
        (("lines", 0, "gtins", 0), 9506000134352, "lines.0.gtins.0"),
        (("lines", 0, "gtins", 0), "9506000134352\n", "lines.0.gtins.0"),
        (("lines", 0, "tacs", 0), "4901542", "lines.0.tacs.0"),
        (("lines", 0, "tacs", 0), "4901542A", "lines.0.tacs.0"),
        (("lines", 0, "tacs", 0), 49015420, "lines.0.tacs.0"),
        (("lines", 0, "units"), ["490154203237518"], "lines.0.units.0"),
        (("lines", 0, "units", 0), [], "lines.0.units.0"),
        (("lines", 0, "units", 0, 1), "490154203237518", "lines.0.units.0.1"),
        (("lines", 0, "units", 1, 0), "490154203237526", "lines.0.units.1.0"),
        (("lines", 0, "units", 1, 0), "SN\u0007", None),
        (("lines", 0, "units", 1, 0), "", "lines.0.units.1.0"),
        (("lines", 0, "units", 1, 0), "S" * 65, "lines.0.units.1.0"),
        (("lines", 0, "units"), [["SNabc1"], ["snABC1"]], "lines.0.units.1.0"),
        (("lines", 0, "units"), [["Ünit"], ["üNIT"]], "lines.0.units.1.0"),
        (("lines", 0, "units"), [["A B"], ["A C"]], None),
        (("lines", 0, "serial_length"), [8], "lines.0.serial_length"),
        (("lines", 0, "serial_length"), [8, 9, 10], "lines.0.serial_length"),
        (("lines", 0, "serial_length"), [12, 8], "lines.0.serial_length"),
        (("lines", 0, "serial_length"), [0, 8], "lines.0.serial_length.0"),
        (("lines", 0, "serial_length"), [8, 65], "lines.0.serial_length.1"),
        (("lines", 0, "serial_length"), [8, "9"], "lines.0.serial_length.1"),
        (("lines", 0, "serial_length"), [8, 8], None),
        (("counted", 0, "quantity"), 0, "counted.0.quantity"),
        (("counted", 0, "line"), GONE, "counted.0.line"),
        (("counted", 0, "units"), ["a", "b", "A"], "counted.0.units.2"),
        (("counted", 0, "units"), ["\u0000"], "counted.0.units.0"),
        (("counted", 0, "box"), 9, "counted.0.box"),
    ],
)
def test_manifest_names_the_wrong_field(path: tuple[str | int, ...], value: object, field: str | None) -> None:
    """Rules: mqtt.md#refused-messages, mqtt.md#json-values."""
    data = payload(changed(MANIFEST, path, value))
    if field is None:
        assert parse(data).order == "SO-1001"
    else:
        assert [name.split(": ")[0] for name in refusal(data).fields] == [field]


def test_unit_of_another_line_is_a_duplicate() -> None:
    """Rule: mqtt.md#refused-messages."""
    line = {"line": "3", "sku": "P", "flow": "used", "serialized": True, "quantity": 1, "units": [["snABC1"]]}
    document = changed(MANIFEST, ("lines",), [*MANIFEST["lines"], line])
    assert refusal(payload(document)).fields == ["lines.2.units.0.0: The same as lines.0.units.1.0"]


def test_every_wrong_field_is_named() -> None:
    document = changed(changed(MANIFEST, ("revision",), "3"), ("lines", 0, "quantity"), 0)
    assert [name.split(": ")[0] for name in refusal(payload(document)).fields] == ["revision", "lines.0.quantity"]


def test_number_of_lines_is_bounded() -> None:
    """Rule: mqtt.md#refused-messages."""

    def lines(count: int) -> bytes:
        line = MANIFEST["lines"][1]
        return payload(changed(MANIFEST, ("lines",), [{**line, "line": str(n)} for n in range(count)]))

    assert len(parse(lines(500)).lines) == 500
    assert refusal(lines(501)).fields[0].startswith("lines: ")


FIELDS = [
    (*path, field)
    for path, fields in [
        ((), MANIFEST),
        (("operators",), MANIFEST["operators"]),
        (("lines", 0), MANIFEST["lines"][0]),
        (("lines", 1), MANIFEST["lines"][1]),
        (("counted", 0), MANIFEST["counted"][0]),
    ]
    for field in fields
] + [("lines", 0, "units", 0), ("lines", 0, "units", 0, 0), ("lines", 0, "gtins", 0), ("barcodes", 0), ("lines", 0)]


def holds_together(data: bytes) -> bool:
    """Whether it was a manifest; anything but a whole one or a refusal fails the test."""
    manifest = outcome(parse, data)
    if isinstance(manifest, MessageRefused):
        assert manifest.fields
        assert str(manifest).isprintable()
        return False
    assert isinstance(manifest, Manifest)
    assert parse(manifest.source.encode()) == manifest
    assert Manifest.from_source(manifest.source) == manifest
    return True


@given(st.lists(st.tuples(st.sampled_from(FIELDS), JSON | st.just(GONE)), min_size=1, max_size=3))
def test_manifest_with_any_value_anywhere_is_refused_or_whole(changes: list[tuple[Any, object]]) -> None:
    document = MANIFEST
    for path, value in changes:
        try:
            document = changed(document, path, value)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue
    holds_together(payload(document))


@given(st.data())
def test_manifest_with_flipped_bytes_is_refused_or_whole(data: st.DataObject) -> None:
    whole = bytearray(payload(MANIFEST))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    holds_together(bytes(whole))


CODES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
LINES = st.fixed_dictionaries(
    {"sku": CODES, "flow": st.sampled_from(Flow), "serialized": st.just(True), "quantity": st.integers(1, 1_000_000)},
    optional={
        "name": st.text(max_size=20),
        "gtins": st.lists(st.from_regex(r"\A([0-9]{8}|[0-9]{12,14})\Z", alphabet=st.characters(codec="ascii"))),
        "tacs": st.lists(st.from_regex(r"\A[0-9]{8}\Z", alphabet=st.characters(codec="ascii"))),
        "serial_length": st.tuples(st.integers(1, 30), st.integers(30, 64)),
    },
)


@given(
    lines=st.lists(LINES, max_size=4),
    units=st.lists(CODES, max_size=8, unique_by=str.casefold),
    barcodes=st.lists(CODES, max_size=3),
    counted=st.lists(st.tuples(CODES, st.integers(1, 9), CODES), max_size=3),
    reopen=st.integers(0, 2**63 - 1),
)
def test_source_gives_an_equal_manifest(
    lines: list[dict[str, Any]],
    units: list[str],
    barcodes: list[str],
    counted: list[tuple[str, int, str]],
    reopen: int,
) -> None:
    numbered = [{**line, "line": str(n)} for n, line in enumerate(lines)]
    for n, unit in enumerate(units):
        if numbered:
            numbered[n % len(numbered)].setdefault("units", []).append([unit])
    document = {
        **MANIFEST,
        "lines": numbered,
        "barcodes": barcodes,
        "counted": [{"line": line, "quantity": quantity, "box": box} for line, quantity, box in counted],
        "reopen": reopen,
    }
    assert holds_together(payload(document))


def test_json_of_the_contract_is_taken() -> None:
    """Rule: mqtt.md#manifest."""
    text = """{"order": "SO-1001", "revision": 3, "type": "normal", "status": "open",
     "barcodes": ["SO-1001"], "operators": {"picking": "E7", "packing": "E8", "shipping": "E9"},
     "lines": [
      {"line": "1", "sku": "P13-128-BLK", "name": "Phone 13 128 GB black", "gtins": ["09506000134352"],
       "flow": "used", "serialized": true, "quantity": 10, "tacs": ["49015420"],
       "units": [["490154203237518", "490154203237526"]]},
      {"line": "2", "sku": "CASE-13", "flow": "used", "serialized": false, "quantity": 2}],
     "counted": [{"line": "2", "quantity": 1, "units": [], "box": "9A77…"}]}"""
    manifest = parse(text.encode())
    assert manifest.counted[0].box == "9A77…"
    assert json.loads(manifest.source)["counted"][0]["box"] == "9A77…"

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.box_sizes import BoxSize
from agent.contract.manifest import CountedElsewhere, Flow, Line, Manifest, Role, Status
from agent.contract.messages import (
    ack_of,
    blocked_of,
    boxes_of,
    manifest_of,
    operators_of,
    order_index_of,
    request_of,
    verdict_of,
)
from agent.contract.operators import Operator
from agent.contract.parsing import MAX_MESSAGE_BYTES
from agent.contract.refused import MessageRefused
from agent.contract.requests import Ack, Request
from agent.contract.verdicts import Action, Verdict
from tests.contract.samples import GONE, MANIFEST, changed, payload

TOPIC = "kiosk/v1/rtm1/order/SO-1001"


def parse(data: bytes) -> Manifest:
    return manifest_of("SO-1001", data, topic=TOPIC)


def refusal(data: bytes) -> MessageRefused:
    with pytest.raises(MessageRefused) as refused:
        parse(data)
    assert refused.value.topic == TOPIC
    assert str(refused.value).isprintable()
    return refused.value


# -- manifests ---------------------------------------------------------------------------------------------------


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
        reopen=False,
    )


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
        (("reopen",), 1, "reopen"),
        (("reopen",), "true", "reopen"),
        (("barcodes",), "SO-1001", "barcodes"),
        (("barcodes", 1), "x" * 65, "barcodes.1"),
        (("barcodes", 1), "a\nb", "barcodes.1"),
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
        (("lines", 1, "sku"), "\u200e", "lines.1.sku"),
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
        (("lines", 0, "units", 1, 0), "SN\u0007", "lines.0.units.1.0"),
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


def test_refusal_stays_short_when_everything_is_wrong() -> None:
    fields = refusal(payload(changed(MANIFEST, ("barcodes",), [1] * 1000))).fields
    assert len(fields) == 21
    assert fields[-1] == "and 980 more"


def test_number_of_lines_is_bounded() -> None:
    """Rule: mqtt.md#refused-messages."""

    def lines(count: int) -> bytes:
        line = MANIFEST["lines"][1]
        return payload(changed(MANIFEST, ("lines",), [{**line, "line": str(n)} for n in range(count)]))

    assert len(parse(lines(500)).lines) == 500
    assert refusal(lines(501)).fields[0].startswith("lines: ")


def test_size_of_a_message_is_bounded() -> None:
    """Rule: mqtt.md#refused-messages."""
    data = payload(MANIFEST)
    assert parse(data.ljust(MAX_MESSAGE_BYTES)).revision == 3
    assert "bytes" in refusal(data.ljust(MAX_MESSAGE_BYTES + 1)).fields[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b'"SO-1001"',
        b"{",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf" + payload(MANIFEST),
        payload(MANIFEST) + b"x",
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": NaN'),
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": Infinity'),
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": 03'),
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": ' + b"9" * 5000),
        payload(MANIFEST).replace(b"CASE-13", b"CASE\xff13"),
        payload(MANIFEST).replace(b"CASE-13", b"CASE\\ud80013"),
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": 3, "deep": ' + b"[" * 50_000 + b"]" * 50_000),
        b"[" * 200_000,
        b'{"a":' * 40_000,
    ],
    ids=lambda data: data[:20].decode("latin-1"),
)
def test_what_is_no_manifest_at_all_is_refused(data: bytes) -> None:
    assert refusal(data).fields


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
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


def outcome(read: Callable[[bytes], object], data: bytes) -> object:
    try:
        return read(data)
    except MessageRefused as refused:
        return refused


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


@given(st.binary(max_size=200) | JSON.map(payload))
def test_anything_is_refused_or_whole(data: bytes) -> None:
    assert not holds_together(data)


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
    reopen=st.booleans(),
)
def test_source_gives_an_equal_manifest(
    lines: list[dict[str, Any]],
    units: list[str],
    barcodes: list[str],
    counted: list[tuple[str, int, str]],
    reopen: bool,
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


# -- reference messages ------------------------------------------------------------------------------------------

PEOPLE = {
    "revision": 4,
    "items": [
        {"operator": "E7", "name": "Ann", "badges": ["zb-1", "X1"], "roles": ["picking", "packing"]},
        {"operator": "E8", "badges": ["ZB-2"], "roles": None},
        {"operator": "E9", "roles": []},
    ],
}


def test_operators_are_found_by_badge_without_case() -> None:
    operators = operators_of(payload(PEOPLE), topic="t")
    ann = Operator(id="E7", name="Ann", roles=frozenset({Role.PICKING, Role.PACKING}))
    assert operators.find("ZB-1") == operators.find("x1") == operators.by_id["E7"] == ann
    assert operators.find("zb-2") == Operator(id="E8", name=None, roles=None)
    assert operators.by_id["E9"].roles == frozenset()
    assert operators.find("E7") is None
    assert operators_of(operators.source.encode(), topic="t") == operators


def test_operators_with_a_salt_are_found_by_their_hash() -> None:
    """Rule: mqtt.md#operators-list."""
    digest = hashlib.sha256("sälZ".encode() + "ZBÄ1".encode()).hexdigest()
    people = {"revision": 1, "salt": "sälZ", "items": [{"operator": "E7", "badges": [digest]}]}
    operators = operators_of(payload(people), topic="t")
    found = operators.find("zbä1")
    assert found is not None
    assert found.id == "E7"
    assert operators.find(digest) is None
    assert operators_of(operators.source.encode(), topic="t") == operators


def test_badge_of_two_operators_is_shared() -> None:
    people = {
        "revision": 1,
        "items": [{"operator": "E7", "badges": ["A1", "a1"]}, {"operator": "E8", "badges": ["B1", "a1"]}],
    }
    assert operators_of(payload(people), topic="t").shared == {"A1"}


def test_boxes_are_found_by_code_without_case() -> None:
    """Rule: mqtt.md#box-sizes."""
    boxes = boxes_of(
        payload({"revision": 1, "items": [{"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}]}),
        topic="t",
    )
    assert boxes.find("m") == BoxSize(code="M", length_mm=300, width_mm=200, height_mm=150)
    assert boxes.find("L") is None
    assert boxes_of(boxes.source.encode(), topic="t") == boxes


def test_blocked_identifiers_are_comparable() -> None:
    """Rule: mqtt.md#blocked-units."""
    part = blocked_of("a", payload({"revision": 1, "items": ["490154203237518", "sn1"]}), topic="t")
    assert part.identifiers == {"490154203237518", "SN1"}
    assert blocked_of("a", part.source.encode(), topic="t") == part


def test_order_index_has_revisions() -> None:
    """Rule: mqtt.md#order-index."""
    index = order_index_of(payload({"revision": 7, "orders": {"SO-1001": 3, "SO/2": 1}}), topic="t")
    assert index.orders == {"SO-1001": 3, "SO/2": 1}
    assert order_index_of(index.source.encode(), topic="t") == index


def test_verdict_is_read() -> None:
    """Rule: mqtt.md#verdicts."""
    data = payload({"revision": 1, "action": "hold", "order": "SO-1", "unit": "4901", "reason": "counted twice"})
    assert verdict_of("v1", data, topic="t") == Verdict(
        id="v1", revision=1, action=Action.HOLD, order="SO-1", unit="4901", reason="counted twice"
    )


def test_ack_is_read() -> None:
    """Rule: mqtt.md#acknowledgement."""
    data = payload({"journal": "3F0C9A1B", "through": "000000000042", "id": None})
    assert ack_of(data, topic="t") == Ack(journal="3F0C9A1B", through=42, id=None)


def test_request_keeps_its_other_fields() -> None:
    """Rule: mqtt.md#requests."""
    data = payload({"transaction": "a-1", "from": "000000000001", "deep": {"n": [1.5, None]}})
    assert request_of("resend", data, topic="t") == Request(
        name="resend", transaction="a-1", fields={"from": "000000000001", "deep": {"n": [1.5, None]}}
    )


VERDICT = {"revision": 1, "action": "hold", "order": "SO-1", "unit": "4901"}
BOX = {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}
READERS: dict[str, Callable[[bytes], object]] = {
    "ack": lambda data: ack_of(data, topic="t"),
    "blocked": lambda data: blocked_of("a", data, topic="t"),
    "boxes": lambda data: boxes_of(data, topic="t"),
    "operators": lambda data: operators_of(data, topic="t"),
    "orders": lambda data: order_index_of(data, topic="t"),
    "request": lambda data: request_of("health", data, topic="t"),
    "verdict": lambda data: verdict_of("v1", data, topic="t"),
}


@pytest.mark.parametrize(
    ("reader", "document", "field"),
    [
        ("ack", {"journal": "3F0C9A1B", "through": 42}, "through"),
        ("ack", {"journal": "3F0C9A1B", "through": "42"}, "through"),
        ("ack", {"journal": "3F0C9A1B", "through": "٠٠٠٠٠٠٠٠٠٠٤٢"}, "through"),
        ("ack", {"through": "000000000042"}, "journal"),
        ("blocked", {"revision": 1, "items": [490154203237518]}, "items.0"),
        ("blocked", {"revision": 1, "items": "490154203237518"}, "items"),
        ("boxes", {"revision": 1, "items": [{**BOX, "code": "m"}]}, "items.0.code"),
        ("boxes", {"revision": 1, "items": [{**BOX, "width_mm": 0}]}, "items.0.width_mm"),
        ("boxes", {"revision": 1, "items": [{**BOX, "width_mm": 1.5}]}, "items.0.width_mm"),
        ("boxes", {"revision": 1, "items": [BOX, BOX]}, "items.1.code"),
        ("operators", changed(PEOPLE, ("items", 1, "operator"), "E7"), "items.1.operator"),
        ("operators", changed(PEOPLE, ("items", 1, "operator"), "E-8"), "items.1.operator"),
        ("operators", changed(PEOPLE, ("items", 1, "roles"), ["cleaning"]), "items.1.roles.0"),
        ("operators", changed(PEOPLE, ("items", 1, "badges", 0), "a\u001db"), "items.1.badges.0"),
        ("operators", {**PEOPLE, "salt": ""}, "salt"),
        (
            "operators",
            {"revision": 1, "salt": "s", "items": [{"operator": "E7", "badges": ["ab"]}]},
            "items.0.badges.0",
        ),
        ("orders", {"revision": 7, "orders": {"SO-1001": "3"}}, "orders.SO-1001"),
        ("orders", {"revision": 7, "orders": ["SO-1001"]}, "orders"),
        ("request", {"transaction": "a/b"}, "transaction"),
        ("request", {"transaction": "#"}, "transaction"),
        ("request", {"transaction": None}, "transaction"),
        ("request", {}, "transaction"),
        ("verdict", {**VERDICT, "action": "holds"}, "action"),
        ("verdict", {**VERDICT, "reason": "x" * 257}, "reason"),
        ("verdict", {**VERDICT, "revision": True}, "revision"),
        ("verdict", {**VERDICT, "revision": 0}, "revision"),
        ("verdict", {**VERDICT, "unit": None}, "unit"),
    ],
)
def test_message_names_the_wrong_field(reader: str, document: object, field: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        READERS[reader](payload(document))
    assert [name.split(": ")[0] for name in refused.value.fields] == [field]


def test_refusal_shows_no_control_character_of_a_name() -> None:
    with pytest.raises(MessageRefused) as refused:
        order_index_of(payload({"revision": 7, "orders": {"a\n\x1b[2J" + "b" * 500: 1}}), topic="t")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("reader", READERS)
@given(data=st.binary(max_size=50) | JSON.map(payload))
def test_any_message_is_refused_or_read(reader: str, data: bytes) -> None:
    read = outcome(READERS[reader], data)
    assert not isinstance(read, MessageRefused) or read.fields


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


@pytest.mark.parametrize("name", ["", "v" * 65, "a\u202eb", "a\nb"])
def test_what_a_topic_names_is_held_to_the_bounds_of_every_id(name: str) -> None:
    verdict = payload({"revision": 1, "action": "hold", "order": "SO-1", "unit": "490154203237518"})
    with pytest.raises(MessageRefused):
        verdict_of(name, verdict, topic="t")
    with pytest.raises(MessageRefused):
        blocked_of(name, payload({"revision": 1, "items": []}), topic="t")


def test_refusal_of_a_message_on_an_endless_topic_is_short() -> None:
    with pytest.raises(MessageRefused) as refused:
        blocked_of("p" * 60_000, b"{}", topic="t/" + "p" * 60_000)
    assert len(str(refused.value)) < 2000

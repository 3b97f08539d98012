"""Lists come before forms (`scanning.md#lists-come-before-forms`), and what looks like ours."""

import pytest

from agent.contract.messages import manifest_of
from agent.contract.operators import Operator
from agent.contract.printed_codes import Verb, badge_text, command_text, label_text
from agent.contract.reasons import Seen
from agent.workflow.classify import classify
from agent.workflow.scan_classes import (
    Ambiguous,
    BadArgument,
    Badge,
    BoxLabel,
    CommandScan,
    OrderBarcode,
    Product,
    Recognised,
    ScanClass,
    Text,
    UnitScan,
    Unreadable,
)
from agent.workflow.state import Order

OPERATOR = Operator(id="E7", name=None, roles=None)
OUR_BADGE, OTHER_BADGE = badge_text("TOKENOFE7"), badge_text("SOMEBODY1")
SAVE, LABEL = command_text(Verb.SAVE), label_text("BOX7")
BAD_SIZE = command_text(Verb.QTY, "0")
SSCC = "106141412345678908"
CARDS = ("CARD-7", "4006381333931", "HTTPS://STAFF.EXAMPLE/01/0042", OUR_BADGE, "ZBOLD-7", "NR")
ORDERS = {
    "SO-2": "SO-2",
    "400PO-7788": "SO-2",
    "PO-7789": "SO-2",
    "PO-7790": "SO-4",
    SSCC: "SO-2",
    "HTTPS://FILES.EXAMPLE/2026/01/SO1001": "SO-2",
    "ZK20261": "SO-2",
    command_text(Verb.QTY, "3"): "SO-2",
    "]A1-2026": "SO-3",
    "TWICE": "SO-2",
    "NO READ": "SO-2",
}
ORDER = Order(
    manifest=manifest_of(
        "SO-1",
        f"""{{"order": "SO-1", "revision": 1, "type": "normal", "status": "open", "barcodes": ["OWN-1"], "lines": [
        {{"line": "1", "sku": "P13", "flow": "used", "serialized": true, "quantity": 9,
         "units": [["490154203237518"], ["21ABC126"], ["ZB998877"], ["{label_text("UNIT")}"], ["{OTHER_BADGE}"]],
         "serial_length": [2, 32]}},
        {{"line": "2", "sku": "ZK4500", "flow": "used", "serialized": false, "quantity": 9}},
        {{"line": "3", "sku": "{SAVE}", "flow": "used", "serialized": false, "quantity": 9}},
        {{"line": "4", "sku": "{BAD_SIZE}", "flow": "used", "serialized": false, "quantity": 9}},
        {{"line": "5", "sku": "https://shop.example/01/P13", "flow": "used", "serialized": false, "quantity": 9}},
        {{"line": "6", "sku": "ERROR", "flow": "used", "serialized": false, "quantity": 9}},
        {{"line": "7", "sku": "CABLE", "flow": "used", "serialized": false, "quantity": 9,
          "gtins": ["042100005264"]}}]}}""".encode(),
        topic="SO-1",
    )
)


class Cache:
    def find_operator(self, code: str) -> Operator | None:
        return OPERATOR if code in CARDS else None

    def is_ambiguous(self, code: str) -> bool:
        return code == "TWICE"

    def orders_by_code(self, code: str) -> tuple[str, ...]:
        return (ORDERS[code],) if code in ORDERS else ()


def read(text: str, *, order: Order | None = ORDER, sscc_awaited: bool = False) -> ScanClass:
    reading = classify(
        text.encode(),
        order=order,
        label_awaited=order is not None,
        lookups=Cache(),
        sscc_awaited=sscc_awaited,
        no_read=frozenset({"NOREAD", "NO READ", "ERROR", "NR"}),
    )
    return reading.scan


ANY_SYMBOLOGY = ("", "]C0", "]C1", "]d1", "]d2", "]E0", "]E4", "]Q1", "]Q3", "]e0", "]X0")


@pytest.mark.parametrize("aim", ANY_SYMBOLOGY)
@pytest.mark.parametrize(
    ("text", "scan"),
    [
        ("card-7", Badge(OPERATOR)),
        ("4006381333931", Badge(OPERATOR)),
        ("https://staff.example/01/0042", Badge(OPERATOR)),
        ("ZBOLD-7", Badge(OPERATOR)),
        ("https://files.example/2026/01/SO1001", OrderBarcode("SO-2", is_open=False)),
        ("400po-7788", OrderBarcode("SO-2", is_open=False)),
        ("ZK20261", OrderBarcode("SO-2", is_open=False)),
        ("]A1-2026", OrderBarcode("SO-3", is_open=False)),
        ("own-1", OrderBarcode("SO-1", is_open=True)),
        ("zk4500", Product("ZK4500")),
        ("HTTPS://shop.example/01/P13", Product("https://shop.example/01/P13")),
        (BAD_SIZE, Product(BAD_SIZE)),
        ("error", Product("ERROR")),
        ("21abc126", UnitScan(("21ABC126",))),
        ("490154203237518", UnitScan(("490154203237518",))),
        ("ZB998877", UnitScan(("ZB998877",))),
        ("NO READ", OrderBarcode("SO-2", is_open=False)),
        ("NR", Badge(OPERATOR)),
    ],
)
def test_listed_text_means_the_same_in_any_symbology(aim: str, text: str, scan: ScanClass) -> None:
    """`scanning.md#lists-come-before-forms`, `scanning.md#listed-texts-that-look-like-ours`"""
    assert read(aim + text) == scan


@pytest.mark.parametrize("aim", ANY_SYMBOLOGY)
@pytest.mark.parametrize(
    ("text", "is_badge"),
    [(SAVE, False), (label_text("UNIT"), False), (OTHER_BADGE, True), (command_text(Verb.QTY, "3"), False)],
)
def test_listed_text_that_is_also_ours_is_ambiguous(aim: str, text: str, is_badge: bool) -> None:
    """`scanning.md#listed-texts-that-look-like-ours`"""
    assert read(aim + text) == Ambiguous(is_badge=is_badge)


@pytest.mark.parametrize(
    ("text", "scan"),
    [
        ("]d1" + OUR_BADGE, Recognised(Seen.BADGE)),
        ("]C0" + OUR_BADGE, Badge(OPERATOR)),
        ("]d1" + command_text(Verb.OUT), Recognised(Seen.COMMAND)),
        ("]C0" + command_text(Verb.OUT), CommandScan(Verb.OUT)),
        (command_text(Verb.QTY, "00"), BadArgument()),
        ("ZK4502", Unreadable()),
        ("ZKSAVEE ", Unreadable()),
        ("zb7q4mx2tax", Unreadable()),
        ("]d1ZL0042X", Unreadable()),
        ("]E0ZL0042X", Unreadable()),
        ("ZL", Unreadable()),
        (LABEL, BoxLabel(LABEL)),
    ],
)
def test_unlisted_text_that_looks_like_ours(text: str, scan: ScanClass) -> None:
    """`scanning.md#listed-texts-that-look-like-ours`, `scanning.md#code-128-only`"""
    assert read(text) == scan


@pytest.mark.parametrize("text", ["NOREAD", "noread", "]C0NoRead", "]E0NOREAD", "]C121NOREAD", "]d28002noread"])
def test_no_read_texts(text: str) -> None:
    """`scanning.md#no-read-texts`, `scanning.md#never-a-serial-number`"""
    assert read(text) == Unreadable(is_no_read=True)


@pytest.mark.parametrize(
    ("text", "scan"),
    [
        ("]C1400PO-7789", OrderBarcode("SO-2", is_open=False)),
        ("]d2401po-7789", OrderBarcode("SO-2", is_open=False)),
        ("]C110LOT7\x1d400PO-7789", OrderBarcode("SO-2", is_open=False)),
        ("]C1400PO-7789\x1d401PO-7790", Ambiguous(is_badge=False)),
        ("]C1400TWICE", Ambiguous(is_badge=False)),
        ("]C1400OWN-1", OrderBarcode("SO-1", is_open=True)),
        ("https://carrier.example/401/PO-7789", OrderBarcode("SO-2", is_open=False)),
        ("]C1400PO-0000", Text()),
        ("]C10109506000134352\x1d400PO-7789", Recognised(Seen.GTIN)),
        ("]C1400PO-7789\x1d8002350000000000014", UnitScan(("350000000000014",))),
        ("]C1403PO-7789", Text()),
        ("]C100" + SSCC, OrderBarcode("SO-2", is_open=False)),
        ("]C100095201200000000021", BoxLabel("095201200000000021")),
        ("]C100000000000000000000", Unreadable()),
    ],
)
def test_order_numbers_in_gs1_data(text: str, scan: ScanClass) -> None:
    """`scanning.md#order-numbers-in-gs1-data`, `scanning.md#box-labels`"""
    assert read(text) == scan


def test_sscc_in_boxing_is_a_label_before_the_barcode_of_another_order() -> None:
    """`scanning.md#order-numbers-in-gs1-data`, `scanning.md#classes`"""
    assert read("]C100" + SSCC, sscc_awaited=True) == BoxLabel(SSCC)
    assert read(SSCC, sscc_awaited=True) == BoxLabel(SSCC)
    assert read(SSCC) == OrderBarcode("SO-2", is_open=False)


@pytest.mark.parametrize(
    ("text", "scan"),
    [
        ("]E004252614", Product("CABLE")),
        ("]E004252615", Recognised(Seen.GTIN)),
        ("]E024252614", Recognised(Seen.GTIN)),
        ("]E404252614", Recognised(Seen.GTIN)),
    ],
)
def test_upc_e(text: str, scan: ScanClass) -> None:
    """`scanning.md#upc-e`"""
    assert read(text) == scan


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("04210000526", Seen.GTIN),
        ("4210000526", Seen.GTIN),
        ("0004210000526", Seen.GTIN),
        ("8944110065123456783f", Seen.ICCID),
        ("89314404000110654325F", Seen.ICCID),
        ("1Z999AA10123456784", Seen.TRACKING),
        ("1z12345e6605272234", Seen.TRACKING),
        ("1PCABLE", Seen.GTIN),
        ("]C1211Z999AA10123456784", Seen.TRACKING),
        ("]C1211PP13", Seen.GTIN),
        ("]C12104210000526", Seen.GTIN),
    ],
)
def test_a_length_proves_little(text: str, seen: Seen) -> None:
    """`scanning.md#never-a-serial-number`"""
    assert read(text) == Recognised(seen)


@pytest.mark.parametrize(
    "text", ["1Z999AA10123456785", "1PSHOE", "8944110065123456784F", "04210000527", "1Z999AA1012345678"]
)
def test_what_only_resembles_them_is_a_serial_number(text: str) -> None:
    """`scanning.md#never-a-serial-number`"""
    assert read(text) == UnitScan((text,))


def test_eighteen_zeros_are_nothing() -> None:
    """`scanning.md#box-labels`, `scanning.md#never-a-serial-number`"""
    assert read("0" * 18) == Text()
    assert read("0" * 18, sscc_awaited=True) == Text()
    assert read("ZL" + label_text("A" * 61)[2:]) == BoxLabel(label_text("A" * 61))

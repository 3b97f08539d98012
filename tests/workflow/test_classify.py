"""The classes of a scan (`scanning.md#classes`), by test vectors that every kiosk must get right."""

import pytest

from agent.contract.check_digits import check_character
from agent.contract.messages import manifest_of
from agent.contract.operators import Operator
from agent.contract.printed_codes import Verb, badge_text, command_text, label_text
from agent.contract.reasons import Seen
from agent.workflow.classify import classify, escaped, verb_of
from agent.workflow.scan_classes import (
    Ambiguous,
    Badge,
    BoxLabel,
    CommandScan,
    OrderBarcode,
    Product,
    Recognised,
    ScanClass,
    Text,
    UnitScan,
    UnknownBadge,
    Unreadable,
)
from agent.workflow.state import Order
from tests.workflow.bench import GTIN

IMEI, IMEI_2, SERIAL = "490154203237518", "490154203237526", "SN12345"
SSCC, SSCC_2 = "106141412345678908", "095201200000000021"
SAVE = command_text(Verb.SAVE)
OPERATOR = Operator(id="E7", name=None, roles=None)
GS = "\x1d"

ORDER = Order(
    manifest=manifest_of(
        "SO-1",
        b"""{"order": "SO-1", "revision": 1, "type": "normal", "status": "open", "barcodes": ["Pallet 7"], "lines": [
        {"line": "1", "sku": "P13", "flow": "used", "serialized": true, "quantity": 9, "gtins": ["9506000134352"],
         "units": [["490154203237518", "490154203237526"]], "serial_length": [7, 9]},
        {"line": "2", "sku": "12345678", "flow": "used", "serialized": false, "quantity": 9}]}""",
        topic="SO-1",
    )
)


class Cache:
    """Knows E7's badge CARD-7, the orders SO-1 and SO-2, TWICE (of two orders) and SHARED (a badge and more)."""

    def find_operator(self, code: str) -> Operator | None:
        return OPERATOR if code.upper() in ("CARD-7", "SHARED", badge_text("TOKENOFE7")) else None

    def is_ambiguous(self, code: str) -> bool:
        return code.upper() in ("TWICE", "SHARED")

    def orders_by_code(self, code: str) -> tuple[str, ...]:
        return {"SO-1": ("SO-1",), "SO-2": ("SO-2",), SSCC: ("SO-2",), "TWICE": ("SO-1", "SO-2")}.get(code.upper(), ())


def read(text: str | bytes, *, order: Order | None = ORDER, label_awaited: bool = True) -> ScanClass:
    data = text.encode() if isinstance(text, str) else text
    return classify(data, order=order, label_awaited=label_awaited, lookups=Cache()).scan


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (SAVE, CommandScan(Verb.SAVE)),
        (SAVE.lower(), CommandScan(Verb.SAVE)),
        ("]C0" + SAVE, CommandScan(Verb.SAVE)),
        ("]d1" + SAVE, Recognised(Seen.COMMAND)),
        (SAVE[:-1], Unreadable()),
        ("ZK-SAVE", Unreadable()),
        ("ZKNONSENSE" + "F", Unreadable()),
        ("CARD-7", Badge(OPERATOR)),
        ("]Q1card-7", Badge(OPERATOR)),
        (badge_text("TOKENOFE7"), Badge(OPERATOR)),
        ("]Q1" + badge_text("TOKENOFE7"), Recognised(Seen.BADGE)),
        (badge_text("SOMEBODY1"), UnknownBadge()),
        ("ZBSHRT", Unreadable()),
        ("ZB" + check_character("ZB"), Text()),
        ("TWICE", Ambiguous(is_badge=False)),
        ("SHARED", Ambiguous(is_badge=True)),
        ("so-1", OrderBarcode("SO-1", is_open=True)),
        ("PALLET 7", OrderBarcode("SO-1", is_open=True)),
        ("so-2", OrderBarcode("SO-2", is_open=False)),
        ("p13", Product("P13")),
        ("9506000134352", Product("P13")),
        ("09506000134352", Product("P13")),
        ("12345678", Product("12345678")),
        ("]E012345678", Product("12345678")),
        ("]E09506000134369", Recognised(Seen.GTIN)),
        ("]E0" + IMEI, UnitScan((IMEI,))),
        ("]E0350000000000014", Recognised(Seen.GTIN)),
        (IMEI, UnitScan((IMEI,))),
        (IMEI_2, UnitScan((IMEI_2,))),
        ("490154203237517", UnitScan(("490154203237517",))),
        ("sn12345", UnitScan((SERIAL,))),
        (SSCC, BoxLabel(SSCC)),
        ("]C100" + SSCC, BoxLabel(SSCC)),
        (label_text("BOX7").lower(), BoxLabel(label_text("BOX7"))),
        (f"]C101{GTIN}8002{IMEI}", UnitScan((IMEI,), with_product=True, sku="P13")),
        (f"]d201{GTIN}21ABC123{GS}8002{IMEI}", UnitScan((IMEI, "ABC123"), with_product=True, sku="P13")),
        (
            f"https://id.gs1.org/01/{GTIN}/21/ABC123?8002={IMEI}",
            UnitScan((IMEI, "ABC123"), with_product=True, sku="P13"),
        ),
        (f"]C10119506000134359218{IMEI}", UnitScan(("8" + IMEI,), with_product=True, sku=None)),
        (f"]Q301{GTIN}8002{IMEI}{GS}8002352099001761481", Recognised(Seen.CONCATENATED)),
        (f"]Q38002{IMEI_2}{GS}8002{IMEI}", UnitScan((IMEI_2, IMEI))),
        ("]C18002490154203237517", UnitScan(("490154203237517",))),
        (f"]C101{GTIN}", Product("P13")),
        ("]C10109506000134353", Unreadable()),
        ("]C110LOT7", Text()),
        (IMEI + IMEI_2, Recognised(Seen.CONCATENATED)),
        (f"{IMEI}/{IMEI_2}", Recognised(Seen.CONCATENATED)),
        ("４９０１５４２０３２３７５１８", Text()),
        ("8944110065123456783", Recognised(Seen.ICCID)),
        ("8944110065123456784", Text()),
        ("89049032000000000000001234567857", Recognised(Seen.EID)),
        ("89049032000000000000001234567858", Text()),
        (b"\xff", Unreadable()),
        ("", Text()),
    ],
)
def test_classify(text: str | bytes, code: ScanClass) -> None:
    """`scanning.md#classes`, `scanning.md#unreadable-scans`, `scanning.md#badges`, `scanning.md#box-labels`,
    `scanning.md#ambiguous-codes`, `scanning.md#code-128-only`, `scanning.md#what-was-seen`
    """
    assert read(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (SSCC, OrderBarcode("SO-2", is_open=False)),
        ("]C100" + SSCC, OrderBarcode("SO-2", is_open=False)),
        ("]C100" + SSCC_2, Recognised(Seen.SSCC)),
        (label_text("BOX7"), BoxLabel(label_text("BOX7"))),
    ],
)
def test_classify_label_where_none_is_awaited(text: str, code: ScanClass) -> None:
    """`scanning.md#box-labels`"""
    assert read(text, order=None, label_awaited=False) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SO-1", OrderBarcode("SO-1", is_open=False)),
        ("P13", Text()),
        ("SN12345", Text()),
        (IMEI, UnitScan((IMEI,))),
        (GTIN, Recognised(Seen.GTIN)),
        ("]E0" + GTIN, Recognised(Seen.GTIN)),
        (f"]Q38002{IMEI_2}{GS}8002{IMEI}", Recognised(Seen.CONCATENATED)),
    ],
)
def test_classify_without_an_order(text: str, code: ScanClass) -> None:
    """`scanning.md#classes`"""
    assert read(text, order=None, label_awaited=False) == code


def test_classify_tells_the_symbology() -> None:
    """`scanning.md#aim-identifier`"""
    reading = classify(b"]C0" + IMEI.encode(), order=None, label_awaited=False, lookups=Cache())
    assert reading.symbology == "C0"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain-1", "plain-1"),
        (b"\x1b[31m\r\n\x1d", "\\x1b[31m\\r\\n\\x1d"),
        (b"back\\slash", "back\\\\slash"),
        ("é€".encode(), "\\xe9\\u20ac"),
        (b"x" * 500, "x" * 128),
    ],
)
def test_escaped(data: bytes, shown: str) -> None:
    """`scanning.md#control-characters`"""
    assert escaped(data) == shown


@pytest.mark.parametrize(
    ("scan", "verb"),
    [
        (command_text(Verb.SAVE).encode(), Verb.SAVE),
        (b"]C0" + command_text(Verb.PACK).encode(), Verb.PACK),
        (command_text(Verb.CONFIRM).lower().encode(), Verb.CONFIRM),
        (command_text(Verb.SAVE).encode() + b"X", None),
        (b"490154203237518", None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_the_verb_of_a_scan(scan: bytes, verb: Verb | None) -> None:
    assert verb_of(scan) is verb

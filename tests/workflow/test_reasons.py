"""Every reason (`workflow.md#one-reason-per-refusal`): a scan that gets it, and what its event says of the barcode.

The values of `seen` are those of `scanning.md#what-was-seen`.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from agent.contract.events import PackingRefused, Rejected
from agent.contract.printed_codes import Verb, badge_text, command_text
from agent.contract.reasons import Reason, Seen
from agent.contract.signals import Signal
from tests.workflow.bench import AGAIN, BADGES, GTIN, OK, PROMPT, Bench, imei, line, refused

ONE, TWO, THREE = imei(1), imei(2), imei(3)
OTHER_TAC = imei(1, tac="86000000")
GS = "\x1d"


class Case(NamedTuple):
    """A scan that is refused at the bench that `scene` makes."""

    scene: Callable[[], Bench]
    code: str | bytes
    reason: Reason
    seen: Seen | None = None
    signal: Signal = Signal.REJECT
    station: str = "1"


def command(verb: Verb, argument: str = "") -> str:
    return command_text(verb, argument)


def new() -> Bench:
    """SO-1 wants units of one TAC and cases, SO-2 any IMEI; SO-9 is cancelled."""
    bench = Bench()
    bench.order(
        "SO-1",
        line("1", "P13", 2, tacs=["35000000"], gtins=[GTIN]),
        line("2", "CASE", 2, serialized=False),
    )
    bench.order("SO-2", line("1", "P14", 5))
    bench.order("SO-9", line("1", "P14", 1), status="cancelled")
    return bench


def ready() -> Bench:
    bench = new()
    bench.sign_in()
    return bench


def scanning() -> Bench:
    bench = new()
    bench.opened("SO-1")
    return bench


def filled() -> Bench:
    bench = scanning()
    assert bench.scan(ONE) == OK
    return bench


def boxing() -> Bench:
    bench = filled()
    bench.do("SAVE")
    return bench


def assigning() -> Bench:
    bench = scanning()
    bench.do("ROLE", "PACK")
    return bench


def ambiguous_badge() -> Bench:
    bench = ready()
    bench.order("SO-3", line("1", "CARD-8", 1))
    return bench


def contested_barcode() -> Bench:
    bench = ready()
    for order in ("SO-3", "SO-4"):
        bench.order(order, line("1", "P13", 1), barcodes=["PALLET"])
    return bench


def in_use() -> Bench:
    bench = scanning()
    bench.sign_in("E8", station="2")
    return bench


def unassigned() -> Bench:
    bench = ready()
    bench.order("SO-3", line("1", "P13", 1), operators={"picking": "E7", "shipping": "E7"})
    bench.opened("SO-3")
    return bench


def two_modes() -> Bench:
    """SO-3 has one line of flow used and one of flow pos."""
    bench = ready()
    bench.order("SO-3", line("1", "P13", 2, tacs=["35000000"]), line("2", "P14", 1, flow="pos", tacs=["86000000"]))
    bench.opened("SO-3")
    return bench


def two_modes_used() -> Bench:
    bench = two_modes()
    assert bench.do("MODE", "USED") == OK
    return bench


def kind_sku() -> Bench:
    bench = scanning()
    bench.do("KIND", "SKU")
    return bench


def kind_serial() -> Bench:
    bench = scanning()
    bench.do("KIND", "SERIAL")
    return bench


def distribution() -> Bench:
    """SO-3 has two products, and both take any IMEI."""
    bench = ready()
    lines = [
        line(str(n), f"P{n}", 2, flow="distribution", gtins=[gtin]) for n, gtin in enumerate((GTIN, "012345678905"))
    ]
    bench.order("SO-3", *lines)
    bench.opened("SO-3")
    return bench


def distribution_wrong_product() -> Bench:
    bench = ready()
    lines = [line(f"{n}", f"P{n}", 2, flow="distribution", tacs=[tac]) for n, tac in ((1, "35000000"), (2, "86000000"))]
    bench.order("SO-3", *lines)
    bench.opened("SO-3")
    assert bench.scan("P2") == OK
    return bench


def blocked() -> Bench:
    bench = scanning()
    bench.block(ONE)
    return bench


def counted_elsewhere() -> Bench:
    bench = filled()
    bench.opened("SO-2", station="2")
    return bench


def held() -> Bench:
    bench = filled()
    bench.verdict("hold", "SO-1", ONE)
    return bench


def removed_held() -> Bench:
    bench = held()
    bench.do("REMOVE")
    bench.scan(ONE)
    return bench


def line_full() -> Bench:
    bench = filled()
    bench.scan(TWO)
    return bench


def full_box() -> Bench:
    bench = ready()
    bench.order("SO-3", line("1", "P14", 1001))
    bench.opened("SO-3")
    bench.thorough = False
    for number in range(1000):
        bench.scan(imei(number))
    bench.thorough = True
    return bench


def pos_box() -> Bench:
    bench = ready()
    bench.order("SO-3", line("1", "P14", 1, flow="pos"))
    bench.opened("SO-3")
    bench.scan(ONE)
    bench.do("SAVE")
    return bench


def label_on_another_box() -> Bench:
    bench = boxing()
    bench.scan("106141412345678908")
    bench.do("SAVE")
    bench.scan(TWO)
    bench.do("SAVE")
    return bench


def removing() -> Bench:
    bench = filled()
    assert bench.do("REMOVE") == PROMPT
    return bench


def packing_by_another() -> Bench:
    bench = ready()
    bench.order("SO-3", line("1", "P14", 1), operators={"picking": "E7", "packing": "E8", "shipping": "E7"})
    bench.opened("SO-3")
    bench.scan(ONE)
    bench.save()
    assert bench.do("PACK") == PROMPT
    return bench


def wrong_barcode(code: str, seen: Seen) -> Case:
    return Case(scanning, code, Reason.WRONG_BARCODE, seen)


CASES: tuple[Case, ...] = (
    Case(new, "ZKSAVE0", Reason.UNREADABLE),
    Case(scanning, b"\xff\xfe", Reason.UNREADABLE),
    Case(scanning, "]C10109506000134353", Reason.UNREADABLE),
    Case(scanning, "HELLO", Reason.UNKNOWN_CODE),
    wrong_barcode("49015420323752", Seen.IMEI_WITHOUT_CHECK_DIGIT),
    wrong_barcode("49015420323751", Seen.GTIN),
    wrong_barcode("9506000134369", Seen.GTIN),
    wrong_barcode("19506000134359", Seen.GTIN),
    wrong_barcode("]E09506000134369", Seen.GTIN),
    wrong_barcode("]E0" + ONE, Seen.GTIN),
    wrong_barcode("8944110065123456783", Seen.ICCID),
    wrong_barcode("89314404000110654325", Seen.ICCID),
    wrong_barcode("89049032000000000000001234567857", Seen.EID),
    wrong_barcode("4901542032375107", Seen.IMEISV),
    wrong_barcode("AF0123450ABCDE", Seen.MEID),
    wrong_barcode("293608736500703710", Seen.MEID),
    wrong_barcode("490154203237518490154203237526", Seen.CONCATENATED),
    wrong_barcode(f"]Q38002{ONE}{GS}8002{TWO}", Seen.CONCATENATED),
    wrong_barcode("106141412345678908", Seen.SSCC),
    wrong_barcode("1Z999AA10123456784", Seen.TRACKING),
    wrong_barcode("8944110065123456783F", Seen.ICCID),
    wrong_barcode(GTIN[1:-1], Seen.GTIN),
    wrong_barcode("1PP13", Seen.GTIN),
    wrong_barcode("]Q1" + BADGES["E9"], Seen.BADGE),
    wrong_barcode("]Q1" + command(Verb.SAVE), Seen.COMMAND),
    Case(ready, "]C100106141412345678908", Reason.ORDER_REQUIRED, Seen.SSCC),
    Case(ambiguous_badge, BADGES["E8"], Reason.AMBIGUOUS),
    Case(contested_barcode, "pallet", Reason.AMBIGUOUS),
    Case(ready, command(Verb.QTY, "0"), Reason.BAD_ARGUMENT),
    Case(ready, command(Verb.QTY, "10000"), Reason.BAD_ARGUMENT),
    Case(ready, command(Verb.QTY), Reason.BAD_ARGUMENT),
    Case(ready, command(Verb.QTY, "2A"), Reason.BAD_ARGUMENT),
    Case(ready, command(Verb.MODE, "POST"), Reason.BAD_ARGUMENT),
    Case(ready, command(Verb.KIND, "BOTH"), Reason.BAD_ARGUMENT),
    Case(ready, command(Verb.ROLE, "CHEF"), Reason.BAD_ARGUMENT),
    Case(ready, command(Verb.BOX), Reason.BAD_ARGUMENT),
    Case(ready, command(Verb.BOX, "M" * 33), Reason.BAD_ARGUMENT),
    Case(scanning, ONE[:-1] + str((int(ONE[-1]) + 1) % 10), Reason.BAD_CHECK_DIGIT),
    Case(scanning, "]C18002490154203237517", Reason.BAD_CHECK_DIGIT),
    Case(new, "SO-1", Reason.NOT_SIGNED_IN),
    Case(new, "]Q1" + BADGES["E7"], Reason.NOT_SIGNED_IN),
    Case(new, badge_text("NOTLISTED"), Reason.BADGE_UNKNOWN),
    Case(scanning, badge_text("NOTLISTED"), Reason.BADGE_UNKNOWN),
    Case(lambda: Bench(operators=False), BADGES["E7"], Reason.BADGE_UNKNOWN),
    Case(assigning, ONE, Reason.BADGE_REQUIRED),
    Case(ready, ONE, Reason.ORDER_REQUIRED),
    Case(ready, "4901542032375107", Reason.ORDER_REQUIRED, Seen.IMEISV),
    Case(ready, "SO-77", Reason.ORDER_UNKNOWN),
    Case(ready, "SO-9", Reason.ORDER_CLOSED),
    Case(in_use, "SO-1", Reason.ORDER_IN_USE, station="2"),
    Case(assigning, BADGES["E9"], Reason.ROLE_NOT_ALLOWED),
    Case(unassigned, ONE, Reason.OPERATOR_UNASSIGNED),
    Case(unassigned, "P13", Reason.OPERATOR_UNASSIGNED),
    Case(two_modes, ONE, Reason.MODE_REQUIRED),
    Case(scanning, command(Verb.MODE, "POS"), Reason.WRONG_MODE),
    Case(kind_sku, ONE, Reason.WRONG_KIND),
    Case(kind_sku, "P13", Reason.WRONG_KIND),
    Case(kind_serial, "CASE", Reason.WRONG_KIND),
    Case(distribution, ONE, Reason.PRODUCT_REQUIRED),
    Case(distribution_wrong_product, ONE, Reason.WRONG_PRODUCT),
    Case(scanning, f"]C101095060001343698002{ONE}", Reason.WRONG_PRODUCT),
    Case(scanning, OTHER_TAC, Reason.NOT_ON_ORDER),
    Case(scanning, "0" * 15, Reason.NOT_ON_ORDER),
    Case(blocked, ONE, Reason.NOT_ON_ORDER),
    Case(two_modes_used, OTHER_TAC, Reason.NOT_ON_ORDER),
    Case(two_modes_used, "P14", Reason.NOT_ON_ORDER),
    Case(filled, ONE, Reason.ALREADY_COUNTED, signal=Signal.AGAIN),
    Case(counted_elsewhere, ONE, Reason.COUNTED_ELSEWHERE, station="2"),
    Case(held, ONE, Reason.HELD, signal=Signal.ALARM),
    Case(held, TWO, Reason.HELD),
    Case(held, "CASE", Reason.HELD),
    Case(held, command(Verb.PACK), Reason.HELD),
    Case(removed_held, ONE, Reason.HELD),
    Case(line_full, THREE, Reason.OVER_QUANTITY),
    Case(full_box, imei(1000), Reason.BOX_FULL),
    Case(scanning, command(Verb.SAVE), Reason.BOX_EMPTY),
    Case(scanning, command(Verb.UNDO), Reason.BOX_EMPTY),
    Case(scanning, command(Verb.CANCEL), Reason.BOX_EMPTY),
    Case(filled, "SO-2", Reason.BOX_OPEN),
    Case(filled, command(Verb.PACK), Reason.BOX_OPEN),
    Case(boxing, TWO, Reason.BOX_NOT_CONFIRMED),
    Case(pos_box, command(Verb.SAVE), Reason.SIZE_REQUIRED),
    Case(pos_box, command(Verb.BOX, "XXL"), Reason.SIZE_UNKNOWN),
    Case(label_on_another_box, "106141412345678908", Reason.LABEL_USED),
    Case(scanning, "]C100106141412345678908", Reason.NOT_IN_BOX),
    Case(removing, TWO, Reason.NOT_IN_BOX),
    Case(packing_by_another, command(Verb.CONFIRM), Reason.NOT_ASSIGNED),
    Case(scanning, command(Verb.BOX, "M"), Reason.NOT_ALLOWED),
    Case(ready, command(Verb.CANCEL), Reason.NOT_ALLOWED),
)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.reason}-{case.scene.__name__}" for case in CASES])
def test_reason(case: Case) -> None:
    """`workflow.md#one-reason-per-refusal`, `signals.md#signal-table`"""
    bench = case.scene()
    before = bench.state
    assert bench.scan(case.code, station=case.station) == refused(case.reason, case.signal)
    assert bench.types() == ["scan.rejected"]
    event = bench.last(Rejected)
    assert (event.reason, event.seen, event.count) == (case.reason, case.seen, 1)
    assert (event.station, event.scanner) == (case.station, "left")
    assert event.order == before.station(case.station).order
    if case.scene is not removing:
        assert (bench.state.stations, bench.state.orders) == (before.stations, before.orders)


def test_reason_quantity_mismatch_is_an_event_of_its_own() -> None:
    """`workflow.md#start-packing`"""
    bench = scanning()
    assert bench.do("PACK") == refused(Reason.QUANTITY_MISMATCH)
    assert bench.types() == ["order.packing_refused"]
    event = bench.last(PackingRefused)
    assert [(one.line, one.ordered, one.scanned) for one in event.lines] == [("1", 2, 0), ("2", 2, 0)]


def test_every_reason_is_here() -> None:
    assert {case.reason for case in CASES} | {Reason.QUANTITY_MISMATCH} == set(Reason)


def test_every_seen_is_here() -> None:
    assert {case.seen for case in CASES} - {None} == set(Seen)


def test_unreadable_frame_is_not_read_at_all() -> None:
    """`scanning.md#unreadable-scans`"""
    bench = filled()
    assert bench.scan(TWO, intact=False) == refused(Reason.UNREADABLE)
    assert bench.here.total_scanned == 1


def test_unreadable_command_that_the_order_lists_as_a_unit() -> None:
    """`scanning.md#command-barcodes`"""
    bench = ready()
    bench.order("SO-3", line("1", "P14", 1, units=[["ZKSAVE0"]]))
    bench.opened("SO-3")
    assert bench.scan("zksave0").signal is Signal.ORDER_DONE


def test_rejected_code_is_escaped_and_short() -> None:
    """`scanning.md#control-characters`"""
    bench = scanning()
    bench.scan("a\x1b[31m\r\n" + "é" * 200)
    code = bench.last(Rejected).code
    assert code.startswith("a\\x1b[31m\\r\\n\\xe9")
    assert code.isascii()
    assert code.isprintable()


def test_rejected_symbology_is_told() -> None:
    bench = scanning()
    bench.scan("]Q1HELLO", scanner="right")
    event = bench.last(Rejected)
    assert (event.symbology, event.scanner, event.code) == ("Q1", "right", "HELLO")


def test_badge_of_others_counts_under_any_symbology() -> None:
    """`scanning.md#code-128-only`, `scanning.md#badges`"""
    bench = new()
    assert bench.scan("]Q1card-8") == OK
    assert bench.station.operator == "E8"
    assert bench.scan("]C0" + BADGES["E7"]) == OK
    assert bench.scan("]C0" + BADGES["E7"]) == AGAIN

"""One device, one identity: MEIDs in both notations, serial numbers with and without their data identifier."""

from typing import Any

import pytest

from agent.contract.events import Accepted, Unit, Voided
from agent.contract.manifest import Manifest, unit_forms, unit_key
from agent.contract.reasons import Reason
from agent.contract.refused import MessageRefused
from agent.contract.signals import Signal
from agent.workflow.state_codec import decode_state, encode_state
from tests.workflow.bench import ALARM, OK, PROMPT, REMOVED, Bench, line, refused

HEX, DECIMAL = "AF0123450ABCDE", "293608736500703710"
PAIRS = [
    (HEX, DECIMAL),
    (DECIMAL, HEX),
    ("SF2LXK1ABCDE", "F2LXK1ABCDE"),
    ("F2LXK1ABCDE", "SF2LXK1ABCDE"),
    ("S" + DECIMAL, HEX),
    (HEX, "S" + DECIMAL),
]
AGAIN = refused(Reason.ALREADY_COUNTED, Signal.AGAIN)


def bench_with(*lines: dict[str, Any], **more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", *lines, **more)
    bench.opened("SO-1")
    return bench


def any_serial(**more: Any) -> dict[str, Any]:
    return line("1", "P13", 5, serial_length=[10, 19], **more)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_counted_once(first: str, second: str) -> None:
    """`scanning.md#one-device-one-identity`, `workflow.md#one-device-counts-once`"""
    bench = bench_with(any_serial())
    assert bench.scan(first) == OK
    assert bench.scan(second) == AGAIN
    bench.restart()
    assert bench.scan(second) == AGAIN
    assert bench.here.total_scanned == 1


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_taken_out_by_the_other_form(first: str, second: str) -> None:
    """`scanning.md#one-device-one-identity`, `workflow.md#remove-a-unit`"""
    bench = bench_with(any_serial())
    bench.scan(first)
    assert bench.do("REMOVE") == PROMPT
    assert bench.scan(second) == REMOVED
    assert bench.last(Voided).unit == bench.last(Accepted).unit
    assert bench.here.total_scanned == 0


@pytest.mark.parametrize(("listed", "scanned"), PAIRS)
def test_listed(listed: str, scanned: str) -> None:
    """`scanning.md#one-device-one-identity`, `mqtt.md#published-units`"""
    bench = bench_with(line("1", "P13", 2, units=[[listed]]))
    assert bench.scan(scanned) == OK
    published = HEX if listed == DECIMAL else listed
    assert bench.last(Accepted).unit == Unit(scheme="meid" if published == HEX else "serial", id=published)
    assert bench.scan(listed) == AGAIN


@pytest.mark.parametrize(("blocked", "scanned"), PAIRS)
def test_blocked(blocked: str, scanned: str) -> None:
    """`scanning.md#one-device-one-identity`, `mqtt.md#blocked-units`"""
    bench = bench_with(any_serial())
    bench.block(blocked)
    assert bench.scan(scanned) == refused(Reason.NOT_ON_ORDER)


@pytest.mark.parametrize(("there", "here"), PAIRS)
def test_counted_at_another_kiosk(there: str, here: str) -> None:
    """`scanning.md#one-device-one-identity`, `workflow.md#counted-at-another-kiosk`"""
    counted = [{"line": "1", "quantity": 1, "units": [there], "box": "9A77B00F000001"}]
    bench = bench_with(any_serial(), counted=counted)
    assert bench.scan(here) == AGAIN


@pytest.mark.parametrize(("there", "here"), PAIRS)
def test_counted_in_another_order(there: str, here: str) -> None:
    """`scanning.md#one-device-one-identity`, `workflow.md#scan-a-unit`"""
    bench = bench_with(any_serial())
    bench.order("SO-2", any_serial())
    bench.scan(there)
    bench.do("CLOSE")
    bench.opened("SO-2")
    assert bench.scan(here) == refused(Reason.COUNTED_ELSEWHERE)


@pytest.mark.parametrize(("counted", "held"), PAIRS)
def test_held(counted: str, held: str) -> None:
    """`scanning.md#one-device-one-identity`, `workflow.md#held-orders`, `workflow.md#end-of-a-hold`"""
    bench = bench_with(any_serial())
    bench.scan(counted)
    assert [alarm.reason for alarm in bench.verdict("hold", "SO-1", held)] == [Reason.HELD]
    assert bench.scan(counted) == refused(Reason.HELD, ALARM)
    assert bench.scan(held) == refused(Reason.HELD, ALARM)
    bench.do("REMOVE")
    assert bench.scan(counted) == REMOVED
    assert bench.types() == ["scan.voided", "order.released"]
    assert [bench.scan(counted), bench.scan(held)] == [refused(Reason.HELD)] * 2


def test_meid_is_published_in_hexadecimal() -> None:
    """`scanning.md#one-device-one-identity`, `mqtt.md#published-units`"""
    bench = bench_with(any_serial())
    assert bench.scan(DECIMAL) == OK
    assert bench.last(Accepted).unit == Unit(scheme="meid", id=HEX)


@pytest.mark.parametrize("listed", [[HEX, DECIMAL], [DECIMAL, HEX], [DECIMAL, "SerialA", HEX]])
def test_unit_listed_in_both_notations_is_one_identifier(listed: list[str]) -> None:
    """`scanning.md#one-device-one-identity`"""
    bench = bench_with(line("1", "P13", 2, units=[listed]))
    assert bench.scan(DECIMAL) == OK
    assert bench.last(Accepted).unit == Unit(scheme="meid", id=HEX, aliases=tuple({*listed} - {HEX, DECIMAL}))


@pytest.mark.parametrize("bounds", [[14, 14], [18, 18], [12, 18]])
@pytest.mark.parametrize("code", [HEX, DECIMAL])
def test_either_length_of_an_meid_fits(bounds: list[int], code: str) -> None:
    """`scanning.md#one-device-one-identity`"""
    bench = bench_with(line("1", "P13", 2, serial_length=bounds))
    assert bench.scan(code) == OK


def test_letter_is_not_added_or_taken_off_for_a_length() -> None:
    """`scanning.md#one-device-one-identity`"""
    bench = bench_with(line("1", "P13", 3, serial_length=[11, 11]))
    assert bench.scan("SF2LXK1ABCDE") == refused(Reason.UNKNOWN_CODE)
    assert bench.scan("F2LXK1ABCD") == refused(Reason.UNKNOWN_CODE)
    assert bench.scan("S2LXK1ABCDE") == OK
    assert bench.last(Accepted).unit == Unit(scheme="serial", id="S2LXK1ABCDE")
    assert bench.scan("S353911101234566") == refused(Reason.UNKNOWN_CODE)


def test_decimal_meid_that_is_an_sscc_counts_only_if_known() -> None:
    """`scanning.md#one-device-one-identity`"""
    bench = bench_with(any_serial())
    assert bench.scan("270113179900000004") == refused(Reason.WRONG_BARCODE)
    assert bench.scan("A1000017000004") == OK
    assert bench.scan("270113179900000004") == AGAIN


def test_snapshot_of_the_version_before_had_meids_as_they_were_read() -> None:
    """`scanning.md#one-device-one-identity`, `workflow.md#restart-keeps-the-state`"""
    bench = bench_with(any_serial())
    bench.scan(HEX)
    old = encode_state(bench.state).replace(HEX.encode(), DECIMAL.encode())
    state = decode_state(old, Manifest.from_source)
    assert HEX in state.orders["SO-1"].counted
    assert HEX in state.units


def test_unit_forms() -> None:
    assert unit_key(DECIMAL) == HEX == unit_key(HEX.lower())
    assert unit_forms("ABC") == ("ABC", "SABC")
    assert unit_forms("SABC") == ("SABC", "ABC", "SSABC")
    assert unit_forms("S") == ("S", "SS")


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_manifest_that_lists_a_unit_twice_is_refused(first: str, second: str) -> None:
    """`scanning.md#one-device-one-identity`, `mqtt.md#refused-messages`"""
    with pytest.raises(MessageRefused, match=r"lines\.0\.units\.1\.0: The same as lines\.0\.units\.0\.0"):
        Bench().order("SO-1", line("1", "P13", 2, units=[[first], [second]]))

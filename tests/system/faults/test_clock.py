"""The wall clock is years off and jumps; order, counts and deadlines do not depend on it."""

import time

from harness.codes import command
from harness.indicator import Signalled
from harness.world import OK, World
from tests.system.faults.shim import Shim

YEAR_S = 31_557_600
STEPS = (20, -20, 11, -50, 0)
"""In years from now; the third and the fourth are 61 years apart."""


def year_of(event_time: object) -> int:
    return int(str(event_time)[:4])


def test_clock_stepped_by_years_while_scanning(own: World, shim: Shim) -> None:
    """Rule: faults.md#wrong-clock."""
    own.kiosk.start()
    own.centre.wait_status("online")
    order, units = own.simple(4 * len(STEPS))
    station = own.opened(order)
    left = iter(units)
    for years in STEPS:
        mark = own.mark()
        shim.step_clock(years * YEAR_S)
        signals = station.scan_all(*(next(left) for _ in range(4)))
        assert {signalled.signal for signalled in signals} <= {"ok", "order_done"}
        own.mark()
        for event in own.consumer.since(mark, "scan.accepted"):
            assert abs(year_of(event.time) - (time.gmtime().tm_year + years)) <= 1, (
                "the record says what the clock said"
            )
    exported = [event for _, event in own.kiosk.exported()]
    assert [event.data.unit.id for event in exported if event.kind == "scan.accepted"] == units
    assert [event.number for event in exported] == list(range(1, len(exported) + 1))
    assert not [event for event in exported if event.kind == "operator.signed_out" and event.data.cause == "idle"]
    uptimes = [int(event.uptimems) for event in exported]
    assert uptimes == sorted(uptimes)
    assert own.delivered() == own.in_sequence()
    assert own.kiosk.stop() == 0


def test_deadlines_run_by_the_monotonic_clock(own: World, shim: Shim) -> None:
    """A year passes on the wall clock between two CANCEL, and it changes nothing.

    Rule: faults.md#wrong-clock.
    """
    own.kiosk.start()
    own.centre.wait_status("online")
    order, units = own.simple(2)
    station = own.opened(order)
    assert station.scan_all(units[0], command("CANCEL")) == [OK, Signalled("prompt", None)]
    shim.step_clock(YEAR_S)
    assert station.scan(command("CANCEL")) == Signalled("removed", None)
    assert own.consumer.wait("scan.voided").data.quantity == 1
    assert own.kiosk.stop() == 0


def test_restarted_in_another_decade(own: World, shim: Shim) -> None:
    """A kiosk without a clock battery believes after a power cut that it is in the past.

    Rule: faults.md#wrong-clock.
    """
    own.kiosk.start()
    own.centre.wait_status("online")
    order, units = own.simple(3)
    station = own.opened(order)
    assert station.scan(units[0]) == OK
    own.kiosk.cut_power()
    own.centre.wait_status("offline")
    own.centre.forget_views()
    shim.step_clock(-int(time.time()))
    own.kiosk.start()
    view = own.centre.wait_view(lambda view: view.order == order)
    assert (view.state, view.operator, view.scanned) == ("scanning", "E7", 1)
    assert station.scan(units[0]) == Signalled("again", "already_counted")
    assert station.scan(units[1]) == OK
    shim.step_clock(0)
    assert station.scan(units[2]).signal == "order_done"
    exported = [event for _, event in own.kiosk.exported()]
    counted = [(event.data.unit.id, year_of(event.time)) for event in exported if event.kind == "scan.accepted"]
    assert [unit for unit, _ in counted] == units
    assert counted[1][1] == 1970
    assert own.delivered() == own.in_sequence()
    assert own.kiosk.stop() == 0

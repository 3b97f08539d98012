import asyncio

from agent.contract.reasons import Reason
from agent.contract.signals import Signal, Steady
from agent.drivers.indicators.fake_indicator import FakeIndicator, ShownSignal
from agent.drivers.scanners.fake_scanner import FakeScanner
from tests.drivers.benches import Heard, run


def test_scan_is_heard_before_it_returns() -> None:
    async def test() -> None:
        heard = Heard()
        with FakeScanner() as scanner:
            scanner.start(asyncio.get_running_loop(), heard.frame, heard.status)
            scanner.scan("490154203237518")
            scanner.scan("é")
        assert heard.scans == [(b"490154203237518", True), ("é".encode(), True)]

    run(test())


def test_unplugged_or_not_started_it_reads_nothing() -> None:
    async def test() -> None:
        heard = Heard()
        with FakeScanner(plugged_in=False) as scanner:
            scanner.scan("ONE")
            scanner.start(asyncio.get_running_loop(), heard.frame, heard.status)
            scanner.scan("TWO")
            scanner.plug_in()
            scanner.scan("THREE")
        assert heard.scans == [(b"THREE", True)]
        assert heard.statuses == [(False, "unplugged"), (True, "fake")]

    run(test())


def test_spoilt_scan_is_not_intact() -> None:
    async def test() -> None:
        heard = Heard()
        with FakeScanner() as scanner:
            scanner.start(asyncio.get_running_loop(), heard.frame, heard.status)
            scanner.type(b"490")
            scanner.spoil()
            scanner.scan("518")
        assert heard.scans == [(b"490", False)]

    run(test())


def test_indicator_remembers_what_it_was_told() -> None:
    with FakeIndicator() as indicator:
        indicator.show(Signal.REJECT, Reason.BOX_OPEN, monotonic_ns=7)
        indicator.steady(Steady.READY)
        indicator.offline(True)
        indicator.bar(1, 2)
        indicator.fail("broken")
    assert indicator.shown == [ShownSignal(signal=Signal.REJECT, reason=Reason.BOX_OPEN, pending=0, monotonic_ns=7)]
    assert indicator.signals == [(Signal.REJECT, Reason.BOX_OPEN)]
    assert (indicator.light, indicator.is_offline, indicator.bars) == (Steady.READY, True, [(1, 2)])
    assert (indicator.fault, indicator.closed) == ("broken", True)

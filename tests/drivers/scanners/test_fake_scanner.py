"""The scanner without hardware."""

import asyncio

from agent.drivers.scanners.fake_scanner import FakeScanner
from tests.drivers.benches import Heard, run


def test_scan_is_reported_before_the_call_returns() -> None:
    async def test() -> None:
        heard = Heard()
        with FakeScanner() as scanner:
            scanner.start(asyncio.get_running_loop(), heard.frame, heard.status)
            scanner.scan("490154203237518")
            scanner.scan("é")
        assert heard.scans == [(b"490154203237518", True), ("é".encode(), True)]

    run(test())


def test_unplugged_or_not_started_scanner_reads_nothing() -> None:
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

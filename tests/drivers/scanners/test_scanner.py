"""What every scanner must do, whatever device it reads, in our event loop and in asyncio's."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.runtime.event_loop import EventLoop
from agent.scan import MAX_SCAN_BYTES
from tests.drivers.benches import Bench, EvdevBench, FakeBench, SerialBench, run, turns, until

BENCHES: dict[str, Callable[[Path], Bench]] = {
    "serial": SerialBench,
    "evdev": lambda _: EvdevBench(),
    "fake": lambda _: FakeBench(),
}


@pytest.fixture(params=["EventLoop", "asyncio"])
def event_loop(request: pytest.FixtureRequest) -> Iterator[EventLoop | None]:
    if request.param == "asyncio":
        yield None
        return
    event_loop = EventLoop()
    yield event_loop
    event_loop.close()


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path, event_loop: EventLoop | None) -> Iterator[Bench]:
    bench = BENCHES[request.param](tmp_path)
    bench.event_loop = event_loop
    yield bench
    bench.close()


def test_scan_is_one_intact_frame_with_its_time(bench: Bench) -> None:
    """(`scanning.md#framing`)"""

    async def test() -> None:
        heard = bench.start()
        before = asyncio.get_running_loop().time()
        bench.scan(b"490154203237518")
        assert await heard.until_frames(1) == [(b"490154203237518", True)]
        assert before <= heard.frames[0].at <= asyncio.get_running_loop().time()

    run(test())


def test_pieces_of_a_scan_are_one_frame(bench: Bench) -> None:
    async def test() -> None:
        bench.allow_pauses()
        heard = bench.start()
        for piece in (b"4901", b"54203", b"237518"):
            bench.send(piece)
            await turns()
        bench.send(bench.terminator)
        assert await heard.until_frames(1) == [(b"490154203237518", True)]

    run(test())


def test_scans_sent_together_come_in_order(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(bench.terminator.join([b"ONE", b"TWO", b"THREE", b""]))
        assert await heard.until_frames(3) == [(b"ONE", True), (b"TWO", True), (b"THREE", True)]

    run(test())


def test_lone_terminator_is_ignored(bench: Bench) -> None:
    """(`scanning.md#framing`)"""

    async def test() -> None:
        heard = bench.start()
        bench.send(bench.terminator * 3)
        bench.scan(b"ONE")
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())


def test_too_long_scan_is_one_frame_that_is_not_intact(bench: Bench) -> None:
    """(`scanning.md#unreadable-scans`)"""

    async def test() -> None:
        bench.allow_pauses()
        heard = bench.start()
        for _ in range(60):
            bench.send(b"7" * 10)
            await turns(2)
        bench.scan(b"")
        bench.scan(b"ONE")
        assert await heard.until_frames(2) == [(b"7" * MAX_SCAN_BYTES, False), (b"ONE", True)]

    run(test())


def test_scan_cut_short_is_not_intact_and_the_next_one_is(bench: Bench) -> None:
    """(`scanning.md#unreadable-scans`)"""

    async def test() -> None:
        heard = bench.start()
        bench.send(b"4901542")
        assert await heard.until_frames(1) == [(b"4901542", False)]
        bench.scan(b"490154203237518")
        assert (await heard.until_frames(2))[1:] == [(b"490154203237518", True)]

    run(test())


def test_status_is_reported_before_start_returns(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        assert [connected for connected, _ in heard.statuses] == [True]
        assert bench.scanner.connected
        assert bench.scanner.detail == heard.statuses[0][1]

    run(test())


def test_unplugging_within_a_scan_is_noticed_and_the_scan_not_intact(bench: Bench) -> None:
    """(`faults.md#scanner-unplugged`)"""

    async def test() -> None:
        heard = bench.start()
        bench.send(b"ONE" + bench.terminator + b"4901542")
        await heard.until_frames(1)  # the half scan behind it arrived with it: they were sent together
        bench.unplug()
        assert "lost" in await heard.until_connected(False)
        assert heard.scans == [(b"ONE", True), (b"4901542", False)]
        assert not bench.scanner.connected

    run(test())


def test_plugged_in_again_it_works_again(bench: Bench) -> None:
    """(`faults.md#scanner-unplugged`)"""

    async def test() -> None:
        heard = bench.start()
        for count, code in enumerate((b"ONE", b"TWO"), 1):
            bench.unplug()
            await heard.until_connected(False)
            bench.plug_in()
            await heard.until_connected(True)
            bench.scan(code)
            await heard.until_frames(count)
        assert heard.scans == [(b"ONE", True), (b"TWO", True)]

    run(test())


def test_device_missing_at_the_start_is_found_later(bench: Bench) -> None:
    """(`faults.md#scanner-unplugged`)"""

    async def test() -> None:
        bench.unplug()
        heard = bench.start()
        assert [connected for connected, _ in heard.statuses] == [False]
        bench.plug_in()
        await heard.until_connected(True)
        bench.scan(b"ONE")
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())


def test_paused_scanner_reads_nothing_and_then_everything(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(b"4901")
        await turns()
        bench.scanner.pause()
        bench.scanner.pause()
        bench.send(b"542" + bench.terminator)
        await asyncio.sleep(0.3)  # longer than the idle gap
        assert heard.frames == []
        bench.scanner.resume()
        assert await heard.until_frames(1) == [(b"4901542", True)]

    run(test())


def test_after_close_nothing_is_reported(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(b"4901")
        await turns()
        bench.scanner.close()
        bench.scanner.close()
        if not isinstance(bench, SerialBench | EvdevBench):  # those are closed at this end
            bench.scan(b"ONE")
        await asyncio.sleep(0.3)
        assert heard.frames == []
        assert len(heard.statuses) == 1
        assert not bench.scanner.connected

    run(test())


def test_close_in_a_callback_stops_further_frames(bench: Bench) -> None:
    async def test() -> None:
        frames = []

        def take_one(frame: object) -> None:
            frames.append(frame)
            bench.scanner.close()

        bench.scanner.start(bench.loop(), take_one, lambda _connected, _detail: None)
        bench.send(bench.terminator.join([b"ONE", b"TWO", b""]))
        await until(lambda: bool(frames))
        await turns()
        assert len(frames) == 1

    run(test())


def test_close_without_start_is_allowed(bench: Bench) -> None:
    with bench.scanner:
        pass
    assert bench.scanner.detail == "closed"


def test_start_twice_is_refused(bench: Bench) -> None:
    async def test() -> None:
        bench.start()
        with pytest.raises(RuntimeError):
            bench.start()

    run(test())


def test_probe_returns_where_and_closes_the_device(bench: Bench) -> None:
    async def test() -> None:
        assert bench.scanner.probe()
        if isinstance(bench, EvdevBench):
            bench.plug_in()  # a pipe can be opened only once
        heard = bench.start()
        bench.scan(b"ONE")
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())

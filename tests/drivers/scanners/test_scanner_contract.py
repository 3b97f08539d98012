"""What every scanner must do, whatever it is made of, in the watch's turns and in asyncio's."""

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


@pytest.fixture(params=["watch", "asyncio"])
def watch(request: pytest.FixtureRequest) -> Iterator[EventLoop | None]:
    if request.param == "asyncio":
        yield None
        return
    watch = EventLoop()
    yield watch
    watch.close()


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path, watch: EventLoop | None) -> Iterator[Bench]:
    bench = BENCHES[request.param](tmp_path)
    bench.watch = watch
    yield bench
    bench.close()


def test_scan_is_one_intact_frame_with_its_time(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        before = asyncio.get_running_loop().time()
        bench.scan(b"490154203237518")
        assert await heard.until_frames(1) == [(b"490154203237518", True)]
        assert before <= heard.frames[0].at <= asyncio.get_running_loop().time()

    run(test())


def test_pieces_of_a_scan_are_one_frame(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        for piece in (b"4901", b"54203", b"237518"):
            bench.send(piece)
            await turns()
        bench.send(bench.terminator)
        assert await heard.until_frames(1) == [(b"490154203237518", True)]

    run(test())


def test_scans_sent_together_are_told_in_order(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(bench.terminator.join([b"ONE", b"TWO", b"THREE", b""]))
        assert await heard.until_frames(3) == [(b"ONE", True), (b"TWO", True), (b"THREE", True)]

    run(test())


def test_lone_terminator_is_nothing(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(bench.terminator * 3)
        bench.scan(b"ONE")
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())


def test_too_long_scan_is_one_unintact_frame(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        for _ in range(60):
            bench.send(b"7" * 10)
            await turns(2)
        bench.scan(b"")
        bench.scan(b"ONE")
        assert await heard.until_frames(2) == [(b"7" * MAX_SCAN_BYTES, False), (b"ONE", True)]

    run(test())


def test_scan_cut_short_is_an_unintact_frame_and_the_next_is_intact(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(b"4901542")
        assert await heard.until_frames(1) == [(b"4901542", False)]
        bench.scan(b"490154203237518")
        assert (await heard.until_frames(2))[1:] == [(b"490154203237518", True)]

    run(test())


def test_status_is_told_before_start_returns(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        assert [connected for connected, _ in heard.statuses] == [True]
        assert bench.scanner.connected
        assert bench.scanner.detail == heard.statuses[0][1]

    run(test())


def test_unplugged_within_a_scan_is_noticed_and_the_scan_not_intact(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(b"ONE" + bench.terminator + b"4901542")
        await heard.until_frames(1)  # and with it the half behind it: they were sent together
        bench.unplug()
        assert "lost" in await heard.until_connected(False)
        assert heard.scans == [(b"ONE", True), (b"4901542", False)]
        assert not bench.scanner.connected

    run(test())


def test_plugged_in_again_it_scans_again(bench: Bench) -> None:
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


def test_missing_at_the_start_it_is_found_later(bench: Bench) -> None:
    async def test() -> None:
        bench.unplug()
        heard = bench.start()
        assert [connected for connected, _ in heard.statuses] == [False]
        bench.plug_in()
        await heard.until_connected(True)
        bench.scan(b"ONE")
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())


def test_paused_it_takes_nothing_and_then_all_of_it(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(b"4901")
        await turns()
        bench.scanner.pause()
        bench.scanner.pause()
        bench.send(b"542" + bench.terminator)
        await asyncio.sleep(0.3)  # longer than the gap that cuts a scan short
        assert heard.frames == []
        bench.scanner.resume()
        assert await heard.until_frames(1) == [(b"4901542", True)]

    run(test())


def test_closed_it_tells_nothing_more(bench: Bench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send(b"4901")
        await turns()
        bench.scanner.close()
        bench.scanner.close()
        if not isinstance(bench, SerialBench | EvdevBench):  # theirs is closed at this end
            bench.scan(b"ONE")
        await asyncio.sleep(0.3)
        assert heard.frames == []
        assert len(heard.statuses) == 1
        assert not bench.scanner.connected

    run(test())


def test_closed_by_the_frame_it_tells_of_it_stops_there(bench: Bench) -> None:
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


def test_close_without_start_is_fine(bench: Bench) -> None:
    with bench.scanner:
        pass
    assert bench.scanner.detail == "closed"


def test_start_twice_is_refused(bench: Bench) -> None:
    async def test() -> None:
        bench.start()
        with pytest.raises(RuntimeError):
            bench.start()

    run(test())


def test_probe_answers_where_and_leaves_the_device_free(bench: Bench) -> None:
    async def test() -> None:
        assert bench.scanner.probe()
        if isinstance(bench, EvdevBench):
            bench.plug_in()  # a pipe can be opened once only
        heard = bench.start()
        bench.scan(b"ONE")
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())

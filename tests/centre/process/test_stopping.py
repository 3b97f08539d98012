"""How the centre ends."""

import asyncio
import os
import signal

import pytest

from centre.process.stopping import Stop, running, stopping_on_signals


async def forever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops(number: signal.Signals) -> None:
    async def go() -> str:
        stop = Stop()
        with stopping_on_signals(stop):
            os.kill(os.getpid(), number)
            await asyncio.wait_for(stop.wait(), 5)
        return stop.reason

    assert asyncio.run(go()) == number.name


def test_a_hang_up_changes_nothing(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centre.process.stopping.has_terminal", lambda: False)
    before = signal.getsignal(signal.SIGHUP)

    async def go() -> bool:
        stop = Stop()
        with stopping_on_signals(stop):
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.1)
        os.kill(os.getpid(), signal.SIGHUP)
        return True

    try:
        assert asyncio.run(go())
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "restart to read the settings" in caplog.text


def test_a_terminal_that_hangs_up_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centre.process.stopping.has_terminal", lambda: True)

    async def go() -> str:
        stop = Stop()
        with stopping_on_signals(stop):
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.wait_for(stop.wait(), 5)
        return stop.reason

    assert asyncio.run(go()) == "SIGHUP"


def test_a_part_that_fails_stops_the_others() -> None:
    async def fail() -> None:
        raise RuntimeError("nobody thought of it")

    async def go() -> Stop:
        stop = Stop()
        async with running(stop, fail(), forever()):
            await asyncio.wait_for(stop.wait(), 5)
        return stop

    stop = asyncio.run(go())
    assert stop.reason == "a part failed"
    assert isinstance(stop.failure, RuntimeError)


def test_the_parts_end_with_the_body() -> None:
    async def go() -> Stop:
        stop = Stop()
        async with running(stop, forever()):
            stop.request("first")
            stop.request("second")
            await stop.wait()
        return stop

    stop = asyncio.run(go())
    assert (stop.reason, stop.failure) == ("first", None)

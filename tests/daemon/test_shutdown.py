"""How the daemon ends: the first reason counts, a failure is raised, and hooks and handlers are put back."""

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from agent.daemon.shutdown import PartFailed, Shutdown, ending_on_failures, ending_on_signals, running_beside
from agent.errors import JournalDamaged

DAMAGE = JournalDamaged("/state/1", 7, "bad record")


def test_the_first_request_gives_the_reason() -> None:
    shutdown = Shutdown()
    assert shutdown.reason == "cannot start"
    shutdown.request("signal SIGTERM")
    shutdown.request("something else")
    asyncio.run(shutdown.wait())
    assert shutdown.reason == "signal SIGTERM"
    shutdown.raise_failure()


@pytest.mark.parametrize(("failure", "reason"), [(DAMAGE, "journal damaged"), (RuntimeError("x"), "bug")])
def test_a_failure_ends_it_too(failure: Exception, reason: str) -> None:
    shutdown = Shutdown()
    shutdown.fail(failure)
    shutdown.fail(ValueError("a later one"))
    asyncio.run(shutdown.wait())
    assert shutdown.reason == reason
    with pytest.raises(JournalDamaged if failure is DAMAGE else PartFailed) as raised:
        shutdown.raise_failure()
    assert failure in (raised.value, raised.value.__cause__)


def test_a_part_that_fails_while_others_are_stopped_is_still_told() -> None:
    shutdown = Shutdown()
    shutdown.request("signal SIGTERM")
    shutdown.fail(RuntimeError("late"))
    with pytest.raises(PartFailed, match="late"):
        shutdown.raise_failure()
    assert shutdown.reason == "signal SIGTERM"


def test_a_request_from_another_thread_wakes_the_waiting_loop() -> None:
    async def main() -> None:
        shutdown = Shutdown()
        threading.Timer(0.05, shutdown.request, args=("a thread says so",)).start()
        await asyncio.wait_for(shutdown.wait(), 30)
        assert shutdown.reason == "a thread says so"

    asyncio.run(main())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_requests_and_their_handlers_come_back(number: signal.Signals) -> None:
    def earlier(*_: object) -> None:
        raise AssertionError("not this one")

    async def main() -> str:
        shutdown = Shutdown()
        with ending_on_signals(shutdown, asyncio.get_running_loop()):
            os.kill(os.getpid(), number)
            await asyncio.wait_for(shutdown.wait(), 30)
        assert signal.getsignal(number) is earlier
        return shutdown.reason

    before = signal.signal(number, earlier)
    try:
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(main()) == f"signal {number.name}"
        loop.close()
    finally:
        signal.signal(number, before)


def test_exceptions_of_threads_and_callbacks_are_failures_and_the_hooks_come_back() -> None:
    def fail(why: str) -> None:
        raise RuntimeError(why)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        before = threading.excepthook
        for in_a_thread in (True, False):
            shutdown = Shutdown()
            with ending_on_failures(shutdown, loop):
                if in_a_thread:
                    thread = threading.Thread(target=fail, args=("a thread",))
                    thread.start()
                    thread.join()
                else:
                    loop.call_soon(fail, "a callback")
                await asyncio.wait_for(shutdown.wait(), 30)
            assert str(shutdown.failure) == ("a thread" if in_a_thread else "a callback")
            assert threading.excepthook is before
            assert loop.get_exception_handler() is None

    asyncio.run(main())


def test_tasks_run_beside_and_are_cancelled_at_the_end() -> None:
    done: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            done.append("cancelled")

    async def main() -> None:
        shutdown = Shutdown()
        async with running_beside(shutdown, work(), work()):
            await asyncio.sleep(0)
        assert done == ["cancelled"] * 2
        assert shutdown.failure is None

    asyncio.run(main())


def test_a_task_that_fails_ends_the_daemon() -> None:
    async def fail() -> None:
        raise RuntimeError("a task")

    async def main(*tasks: Coroutine[Any, Any, None]) -> None:
        shutdown = Shutdown()
        async with running_beside(shutdown, *tasks):
            await asyncio.wait_for(shutdown.wait(), 30)
        assert str(shutdown.failure) == "a task"

    asyncio.run(main(fail()))

"""An event that threads set and one task waits for: no set is lost."""

import asyncio
import threading

from agent.daemon.thread_safe_event import ThreadSafeEvent


def test_a_set_before_the_wait_is_kept_and_answered_once() -> None:
    async def main() -> None:
        event = ThreadSafeEvent(asyncio.get_running_loop())
        event.set()
        event.set()
        assert await event.wait(30)
        assert not await event.wait(0.01)

    asyncio.run(main())


def test_a_thread_wakes_the_waiting_task() -> None:
    async def main() -> None:
        event = ThreadSafeEvent(asyncio.get_running_loop())
        thread = threading.Timer(0.05, event.set)
        thread.start()
        assert await event.wait(30)
        thread.join()

    asyncio.run(main())


def test_no_set_is_lost_between_many_threads_and_the_task() -> None:
    async def main() -> None:
        event = ThreadSafeEvent(asyncio.get_running_loop())
        sent: list[int] = []

        def send() -> None:
            for number in range(300):
                sent.append(number)
                event.set()

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        taken = 0
        while taken < 4 * 300:
            assert await event.wait(30)
            taken = len(sent)
        for thread in threads:
            thread.join()

    asyncio.run(main())


def test_a_set_after_the_loop_is_closed_is_a_no_op() -> None:
    async def main() -> ThreadSafeEvent:
        return ThreadSafeEvent(asyncio.get_running_loop())

    asyncio.run(main()).set()

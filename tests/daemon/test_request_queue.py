"""Requests that wait for the main thread: in order, bounded, with turns for others in between."""

import asyncio

from agent.contract.requests import Request
from agent.daemon.request_queue import RequestQueue


def request(number: int) -> Request:
    return Request(name="identify", transaction=str(number), fields={})


def answered(queued: int) -> list[str]:
    """The transactions answered after so many requests were put at once."""

    async def main() -> list[str]:
        queue = RequestQueue(asyncio.get_running_loop())
        done: list[str] = []
        task = asyncio.create_task(queue.run(lambda one: done.append(one.transaction)))
        for number in range(queued):
            queue.put(request(number))
        turns = 0
        while len(done) < min(queued, 1000):
            turns += 1
            await asyncio.sleep(0)
        assert turns >= len(done), "others have a turn between two answers"
        queue.put(request(-1))
        while done[-1] != "-1":
            await asyncio.sleep(0)
        task.cancel()
        return done

    return asyncio.run(main())


def test_requests_are_answered_in_the_order_of_their_arrival() -> None:
    assert answered(5) == ["0", "1", "2", "3", "4", "-1"]


def test_more_than_a_thousand_at_once_are_dropped() -> None:
    assert answered(1200) == [*map(str, range(1000)), "-1"]

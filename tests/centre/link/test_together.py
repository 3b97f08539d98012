"""Several jobs at once: the first failure ends them all, and is raised as it is."""

import asyncio

import pytest

from centre.centre_errors import LinkDown
from centre.link.together import together
from tests.centre.link.rig import run_async


def test_the_first_failure_ends_the_others() -> None:
    ended: list[str] = []

    async def waiting(name: str) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(name)

    async def failing() -> None:
        await asyncio.sleep(0)
        raise LinkDown("gone")

    async def test() -> None:
        with pytest.raises(LinkDown, match="gone"):
            await together(waiting("a"), failing(), waiting("b"))
        assert ended == ["a", "b"]

    run_async(test())


def test_all_are_waited_for() -> None:
    done: list[int] = []

    async def job(number: int) -> None:
        await asyncio.sleep(0.01 * number)
        done.append(number)

    async def test() -> None:
        await together(job(2), job(1))
        assert done == [1, 2]

    run_async(test())

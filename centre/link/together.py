"""Running several jobs at once, of which none may end alone."""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["together"]


async def together(*jobs: Coroutine[Any, Any, None]) -> None:
    """Run the jobs until all have ended. The first failure is raised as it is; the other jobs are cancelled first.

    A TaskGroup would raise it in a group, which no `except LinkDown` sees.
    """
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Waiting for a database that is down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from centre.centre_errors import DatabaseDown
from centre.link.link_settings import RetainedTiming

__all__ = ["patiently"]

_log = logging.getLogger(__name__)

T = TypeVar("T")


async def patiently(what: str, work: Callable[[], Awaitable[T]], timing: RetainedTiming) -> T:
    """Do something that needs the database; while that is down, log `what` waits for it and try again."""
    wait_s = timing.database_s
    while True:
        try:
            return await work()
        except DatabaseDown as exc:
            _log.warning("%s waits for the database: %s", what, exc)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, timing.database_max_s)

"""The watchdog is fed often enough, and only while the scan path works."""

import asyncio
from collections.abc import Callable

import pytest

from agent.daemon.watchdog import feed_watchdog
from agent.runtime.systemd import Notifier

INTERVAL_S = 0.03


class Fed(Notifier):
    """Counts the feeds."""

    def __init__(self) -> None:
        super().__init__({})
        self.times = 0

    def watchdog(self) -> None:
        self.times += 1


def fed(is_alive: Callable[[], bool], enough: Callable[[Fed], bool]) -> Fed:
    notifier = Fed()

    async def main() -> None:
        task = asyncio.create_task(feed_watchdog(notifier, INTERVAL_S, is_alive))
        while not enough(notifier):
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(asyncio.wait_for(main(), 30))
    return notifier


def test_fed_again_and_again() -> None:
    assert fed(lambda: True, lambda notifier: notifier.times >= 5).times >= 5


def test_not_fed_while_the_scan_path_hangs() -> None:
    asked: list[None] = []

    def is_alive() -> bool:
        asked.append(None)
        return False

    assert fed(is_alive, lambda _: len(asked) >= 5).times == 0


@pytest.mark.parametrize("is_alive", [True, False])
def test_nothing_to_do_without_a_watchdog(is_alive: bool) -> None:
    notifier = Fed()
    asyncio.run(feed_watchdog(notifier, None, lambda: is_alive))
    assert notifier.times == 0

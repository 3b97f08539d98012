"""systemd's notifications."""

import asyncio
import socket
from pathlib import Path

import pytest

from centre.process.service_notify import ServiceNotifier, watchdog_s


def test_messages_reach_the_manager(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        notifier = ServiceNotifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        notifier.ready()
        notifier.status("a\nb")
        notifier.stopping()

        async def feed() -> None:
            task = asyncio.create_task(notifier.feed_watchdog(0.01))
            await asyncio.sleep(0.02)
            task.cancel()

        asyncio.run(feed())
        notifier.close()
        manager.settimeout(1)
        assert [manager.recv(100) for _ in range(5)] == [
            b"READY=1",
            b"STATUS=a b",
            b"STOPPING=1",
            b"WATCHDOG=1",
            b"WATCHDOG=1",
        ]


def test_without_a_manager_nothing_happens() -> None:
    notifier = ServiceNotifier({})
    notifier.ready()
    asyncio.run(notifier.feed_watchdog(None))
    notifier.close()
    gone = ServiceNotifier({"NOTIFY_SOCKET": "/none/notify"})
    gone.ready()
    gone.close()


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
    ],
)
def test_the_watchdog_interval(environ: dict[str, str], interval: float | None) -> None:
    assert watchdog_s(environ, pid=7) == interval

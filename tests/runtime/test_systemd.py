"""sd_notify, against a datagram socket of the test."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.runtime.systemd import Notifier, watchdog_interval_s


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket, and its address as systemd puts it into the environment."""
    name = f"@{tmp_path}/notify" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0", 1))
        listening.setblocking(False)
        yield listening, name


def test_each_message_is_one_datagram(manager: tuple[socket.socket, str]) -> None:
    """(`commands.md#run`)"""
    listening, address = manager
    with Notifier({"NOTIFY_SOCKET": address}) as notifier:
        notifier.ready()
        notifier.status("2 stations,\nbroker\toffline  ")
        notifier.watchdog()
        notifier.stopping()
    got = [listening.recv(1000) for _ in range(4)]
    assert got == [b"READY=1", b"STATUS=2 stations, broker offline", b"WATCHDOG=1", b"STOPPING=1"]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "relative/or/vsock:2:1"}])
def test_without_a_manager_nothing_is_opened(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(socket, "socket", lambda *args: opened.append(args))
    with Notifier(environ) as notifier:
        notifier.ready()
        notifier.status("x")
    assert opened == []


def test_a_manager_that_is_gone_is_no_error(tmp_path: Path) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    notifier.watchdog()
    notifier.close()
    notifier.close()
    notifier.watchdog()


def test_a_manager_that_does_not_listen_never_blocks(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    sent = 2000
    with Notifier({"NOTIFY_SOCKET": address}) as notifier:
        for _ in range(sent):  # more than a datagram socket queues
            notifier.watchdog()
    got = 0
    while True:
        try:
            assert listening.recv(100) == b"WATCHDOG=1"
        except BlockingIOError:
            break
        got += 1
    assert 0 < got < sent


@pytest.mark.parametrize(
    ("environ", "interval_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "15000000"}, 15.0),
        ({"WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "42"}, 15.0),
        ({"WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_watchdog_interval(environ: dict[str, str], interval_s: float | None) -> None:
    assert watchdog_interval_s(environ, pid=42) == interval_s

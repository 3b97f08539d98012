"""`kiosk-agent status` (`commands.md#status-of-the-daemon`), with answers that are sound, broken or missing."""

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.commands import status as command
from agent.commands.status import NotRunning, status
from agent.daemon.status_socket import is_running

ANSWER: dict[str, Any] = {
    "version": "0.1.0",
    "journal": "3F0C9A1B",
    "uptime_s": 93_784.5,
    "stations": [
        {
            "id": "1",
            "state": "scanning",
            "signed_in": True,
            "operator": "E7",
            "order": "SO-1001\x1b[2J",
            "mode": "used",
            "product": None,
            "scanned": 3,
            "pending": 9,
            "box": {"id": "3F0C9A1B000017", "units": 3, "size": None, "label": None},
            "last": {"signal": "reject", "reason": "not_on_order"},
            "held": True,
            "time": "2026-11-22T17:53:01.123Z",
            "scanners": [
                {"name": "left", "driver": "serial", "connected": True, "detail": "/dev/ttyACM0"},
                {"name": "right", "driver": "evdev", "connected": False, "detail": "unplugged"},
            ],
        },
        {"id": "2", "state": "ready", "signed_in": False, "box": None, "last": None, "held": False, "scanners": []},
    ],
    "health": {
        "uplink": {"backlog": 12, "state": "connected", "refusals": []},
        "missing": ["SO-1", "SO-2"],
        "disks": [{"free": 1}],
        "clock_synced": False,
    },
}

TABLES = r"""
kiosk-agent 0.1.0, journal 3F0C9A1B, up 1 d 2 h

STATION  STATE           OPERATOR  ORDER           MODE  SCANNED  PENDING  BOX                 LAST
1        scanning, held  E7        SO-1001\x1b[2J  used  3        9        3F0C9A1B000017 (3)  reject not_on_order
2        signed out      -         -               -     -        -        -                   -

STATION  SCANNER  DRIVER  CONNECTED  WHERE
1        left     serial  yes        /dev/ttyACM0
1        right    evdev   no         unplugged

HEALTH
uplink.backlog   12
uplink.state     connected
uplink.refusals  -
missing          SO-1, SO-2
disks[0].free    1
clock_synced     no
""".lstrip()

Daemon = Callable[[bytes], None]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Answers one connection with the bytes given, in two parts, then closes it."""
    threads: list[threading.Thread] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "status.sock"))
        listening.listen(1)

        def serve(answer: bytes) -> None:
            def once() -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(answer[:10])
                    connection.sendall(answer[10:])

            threads.append(threading.Thread(target=once, daemon=True))
            threads[-1].start()

        yield serve
        for thread in threads:
            thread.join(5)


def test_status_shows_tables(tmp_path: Path, daemon: Daemon) -> None:
    """Rule: commands.md#status-of-the-daemon."""
    daemon(json.dumps(ANSWER).encode())
    out = io.StringIO()
    assert status(tmp_path, out) == 0
    assert out.getvalue() == TABLES


def test_status_json_is_the_document(tmp_path: Path, daemon: Daemon) -> None:
    daemon(json.dumps(ANSWER).encode())
    out = io.StringIO()
    assert status(tmp_path, out, as_json=True) == 0
    assert json.loads(out.getvalue()) == ANSWER
    assert out.getvalue().isascii()
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 min"), (3599, "59 min"), (3600, "1 h 0 min"), (90_000, "1 d 1 h"), (None, "-")]
)
def test_status_uptime(tmp_path: Path, daemon: Daemon, seconds: int | None, text: str) -> None:
    daemon(json.dumps({"version": "1", "journal": "A", "uptime_s": seconds, "stations": []}).encode())
    out = io.StringIO()
    status(tmp_path, out)
    assert out.getvalue() == f"kiosk-agent 1, journal A, up {text}\n"


@pytest.mark.parametrize(
    ("answer", "why"), [(b"", "broke off"), (b'{"version": "0.1', "broke off"), (b"[1]", "no daemon of ours")]
)
def test_status_half_an_answer_is_an_error(tmp_path: Path, daemon: Daemon, answer: bytes, why: str) -> None:
    daemon(answer)
    with pytest.raises(NotRunning, match=why):
        status(tmp_path, io.StringIO())


def test_status_without_a_daemon(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="the daemon does not run"):
        status(tmp_path, io.StringIO())
    assert not is_running(tmp_path)


def test_status_of_a_daemon_that_was_killed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "status.sock"))
    with pytest.raises(NotRunning, match="the daemon does not run"):
        status(tmp_path, io.StringIO())


def test_status_of_a_daemon_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PATIENCE_S", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "status.sock"))
        listening.listen(2)
        with pytest.raises(NotRunning, match="did not answer"):
            status(tmp_path, io.StringIO())
        assert is_running(tmp_path)


def test_status_path_too_long_for_a_socket(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="too long"):
        status(tmp_path / ("x" * 200), io.StringIO())

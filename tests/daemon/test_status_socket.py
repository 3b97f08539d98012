"""The socket behind `kiosk-agent status`."""

import asyncio
import logging
import socket
from pathlib import Path

import pytest

from agent.daemon.status_socket import SOCKET_NAME, StatusSocket, is_running


def ask(directory: Path) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(30)
        stream.connect(str(directory / SOCKET_NAME))
        answer = b""
        while part := stream.recv(65536):
            answer += part
        return answer


def test_each_connection_gets_the_document_of_its_time(tmp_path: Path) -> None:
    """`commands.md#status-of-the-daemon`"""
    documents = iter([b"{}", b"x" * 1_000_000])

    async def main() -> None:
        assert not is_running(tmp_path)
        with StatusSocket(asyncio.get_running_loop(), tmp_path, lambda: next(documents)):
            assert is_running(tmp_path)
            await asyncio.sleep(0.01)  # is_running's connection has got an answer

    async def asking() -> None:
        with StatusSocket(asyncio.get_running_loop(), tmp_path, lambda: next(documents)):
            assert (tmp_path / SOCKET_NAME).stat().st_mode & 0o777 == 0o660
            assert await asyncio.to_thread(ask, tmp_path) == b"x" * 1_000_000

    asyncio.run(main())
    assert not (tmp_path / SOCKET_NAME).exists()
    assert not is_running(tmp_path)
    asyncio.run(asking())


def test_the_socket_of_a_daemon_that_was_killed_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as old:
        old.bind(str(tmp_path / SOCKET_NAME))

    async def main() -> None:
        with StatusSocket(asyncio.get_running_loop(), tmp_path, lambda: b"{}"):
            assert await asyncio.to_thread(ask, tmp_path) == b"{}"

    assert not is_running(tmp_path)
    asyncio.run(main())


def test_a_client_that_goes_away_is_no_error(tmp_path: Path) -> None:
    async def main() -> None:
        with StatusSocket(asyncio.get_running_loop(), tmp_path, lambda: b"x" * 1_000_000):
            for _ in range(3):
                assert is_running(tmp_path)
                await asyncio.sleep(0.01)
            assert await asyncio.to_thread(ask, tmp_path) == b"x" * 1_000_000

    asyncio.run(main())


def test_without_a_place_for_the_socket_it_does_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        with StatusSocket(asyncio.get_running_loop(), tmp_path / "no" / "folder", lambda: b"{}"):
            await asyncio.sleep(0)

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    assert "kiosk-agent status will not work" in caplog.text

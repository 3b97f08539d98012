"""Clients that dawdle: their connections end, those of others do not."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from centre.configuration.centre_settings import WebSettings
from centre.process.stopping import Stop
from centre.process.web_server import listening_socket, serving

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_S", "BODY_S", "READ_S"):
        monkeypatch.setattr(f"centre.process.http_patience.{name}", 0.3)


async def app(scope: object, receive: object, send: object) -> None:
    """Read the body and answer with 8 MB."""
    while (await receive()).get("more_body"):  # type: ignore[operator]
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
    for more in (True, True, False):
        await send({"type": "http.response.body", "body": bytes(4 << 20), "more_body": more})  # type: ignore[operator]


def talk(port: int, pieces: Iterator[bytes], *, reads: bool = True, pause_s: float = 0.05) -> int:
    """Send pieces with pauses until they end or the server closes; return how much it has answered."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=5)) as sock:
        if not reads:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(pause_s)
        count = 0
        try:
            for piece in pieces:
                sock.sendall(piece)
                if not reads:
                    continue
                try:
                    found = sock.recv(1 << 20)
                except TimeoutError:
                    continue
                if not found:
                    return count
                count += len(found)
            sock.settimeout(5)
            while found := sock.recv(1 << 20):
                count += len(found)
        except ConnectionError:
            pass
        return count


def trickle(start: bytes, piece: bytes) -> Iterator[bytes]:
    yield start
    for _ in range(200):
        yield piece
    pytest.fail("the connection was never closed")


def served(*talks: tuple[Iterator[bytes], bool]) -> list[int]:
    """Hold these conversations with a server at once."""

    async def run() -> list[int]:
        settings = WebSettings(port=0)
        with listening_socket(settings) as listening:
            port = listening.getsockname()[1]
            async with serving(app, settings, listening, Stop()):
                return await asyncio.gather(
                    *(asyncio.to_thread(talk, port, pieces, reads=reads) for pieces, reads in talks)
                )

    return asyncio.run(run())


def test_a_head_that_never_ends() -> None:
    assert served((trickle(HEAD + b"X: ", b"a"), True), (trickle(b"", b""), True)) == [0, 0]


def test_a_body_that_never_ends() -> None:
    assert served((trickle(HEAD + b"Content-Length: 1000\r\n\r\n", b"a"), True)) == [0]


def test_a_second_head_that_never_ends() -> None:
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert served((trickle(whole + HEAD + b"X: ", b"a"), True))[0] > 12 << 20


def test_an_answer_that_nobody_reads() -> None:
    async def run() -> None:
        settings = WebSettings(port=0)
        with listening_socket(settings) as listening:
            async with serving(app, settings, listening, Stop()):
                reader, writer = await asyncio.open_connection(*listening.getsockname(), limit=1024)
                writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                await asyncio.sleep(1)
                found = 0
                try:
                    while some := await reader.read(1 << 16):
                        found += len(some)
                except ConnectionError:
                    pass
                writer.close()
                assert found < 12 << 20

    asyncio.run(run())


def test_a_request_in_pieces_is_answered() -> None:
    pieces = [HEAD + b"Content-", b"Length: 2\r\nConnection: close\r\n", b"\r\na", b"a"]
    assert served((iter(pieces), True))[0] > 12 << 20


def test_more_connections_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centre.process.http_patience.CONNECTIONS_MAX", 0)
    assert served((trickle(HEAD + b"X: ", b"a"), True)) == [0]

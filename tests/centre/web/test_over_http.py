"""The same over real connections: what a server does with paths, bodies and broken requests."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from centre.process.stopping import Stop
from centre.process.web_server import listening_socket, serving
from centre.web.body_limits import MAX_BODY_BYTES
from centre.web.scopes import Scope
from tests.centre.web.conftest import Centre
from tests.centre.web.test_orders import manifest
from tests.centre.web.test_problems import problem


@pytest.fixture
def address(sqlite_centre: Centre) -> Iterator[tuple[str, int]]:
    """The address of a server of the centre's web side."""
    settings = sqlite_centre.services.settings.web.model_copy(update={"port": 0})
    loop = asyncio.new_event_loop()
    stop = Stop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with serving(sqlite_centre.app, settings, listening, stop):
            await ended.wait()

    with listening_socket(settings) as listening:
        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        yield listening.getsockname()[:2]
        loop.call_soon_threadsafe(ended.set)
        thread.join(20)
    loop.close()


@pytest.fixture
def client(sqlite_centre: Centre, address: tuple[str, int]) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {sqlite_centre.token(Scope.ADMIN)}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{address[1]}", headers=headers, timeout=20) as client:
        yield client


def sent(address: tuple[str, int], request: bytes) -> bytes:
    """Return what the server answers to these bytes."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_slashes_in_ids(client: httpx.Client) -> None:
    assert client.put("/api/v1/orders/SO%2F1", json=manifest()).json()["order"] == "SO/1"
    assert client.post("/api/v1/orders/SO%2f1/cancel").json()["order"] == "SO/1"
    assert client.get("/api/v1/%6Frders/SO%2F1").json()["status"] == "cancelled"
    problem(client.get("/api/v1/orders/SO/1"), 404)
    problem(client.get("/api/v1/orders%2FSO%252F1"), 404)
    problem(client.get("/api/v1/orders/%FF"), 400)


def test_a_body_that_never_ends_is_refused(client: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40 * MAX_BODY_BYTES // 65536):
            yield b" " * 65536

    try:
        response = client.put("/api/v1/orders/A", content=pieces())
    except httpx.WriteError:
        return  # the server has closed the connection while we were still sending
    problem(response, 413)


def test_broken_requests(address: tuple[str, int], client: httpx.Client) -> None:
    for request in (
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"PUT /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: kiosk_session=\xff\xfe\r\nAuthorization: \xff\r\n\r\n",
        b"GET /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nCookie: kiosk_session=\xff\xfe\r\n\r\n",
        b"GET /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    ):
        status = sent(address, request)[:13]
        assert b" 5" not in status, (request[:80], status)
    assert client.get("/healthz").status_code == 200


def test_answers_are_sent_at_once(sqlite_centre: Centre) -> None:
    """Nagle's algorithm is off on each connection: an answer does not wait for an acknowledgement of its first part."""
    settings = sqlite_centre.services.settings.web.model_copy(update={"port": 0})

    async def is_off() -> bool:
        found = asyncio.get_running_loop().create_future()

        class Accepted(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                accepted = transport.get_extra_info("socket")
                found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        with listening_socket(settings) as listening:
            async with await asyncio.get_running_loop().create_server(Accepted, sock=listening):
                with socket.create_connection(listening.getsockname()[:2], timeout=10):
                    return bool(await asyncio.wait_for(found, 10))

    assert asyncio.run(is_off())

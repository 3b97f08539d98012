"""The web server: uvicorn in the centre's own event loop."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from centre.centre_errors import CentreBusy, Refused
from centre.configuration.centre_settings import WebSettings
from centre.process.http_patience import PatientHttp
from centre.process.stopping import Stop

__all__ = ["listening_socket", "serving", "web_url"]

_REQUESTS_END_S = 2
"""How long requests may take to end when the centre stops. The live pages never end by themselves."""

_KEEP_ALIVE_S = 30


def web_url(settings: WebSettings, listening: socket.socket) -> str:
    """Return the address of the board, as a person on this machine may type it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls_cert else 'http'}://{shown}:{port}"


@contextmanager
def listening_socket(settings: WebSettings) -> Iterator[socket.socket]:
    """Give a socket that listens. Raises CentreBusy if the port is taken, Refused if the address is not ours."""
    family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named. With it, an answer waits 40 ms for the
    # client's delayed acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.bind, settings.port))
            listening.listen(256)
        except OSError as exc:
            error = CentreBusy if exc.errno == errno.EADDRINUSE else Refused
            raise error(f"cannot listen on {settings.bind} port {settings.port}: {exc.strerror}") from exc
        yield listening


@asynccontextmanager
async def serving(app: Any, settings: WebSettings, listening: socket.socket, stop: Stop) -> AsyncIterator[None]:
    """Answer requests while the body runs. A server that ends by itself ends the centre."""
    server = _Server(
        uvicorn.Config(
            app,
            access_log=False,
            forwarded_allow_ips="*",
            http=PatientHttp,
            lifespan="off",
            log_config=None,
            proxy_headers=settings.behind_proxy,
            server_header=False,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
            timeout_graceful_shutdown=_REQUESTS_END_S,
            timeout_keep_alive=_KEEP_ALIVE_S,
            ws="none",
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listening]))
    task.add_done_callback(lambda done: _note_end(stop, done))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the centre has its own, and ends its parts in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _note_end(stop: Stop, done: "asyncio.Task[None]") -> None:
    if done.cancelled():
        return
    failure = done.exception()
    if failure is not None:
        stop.fail(failure)
    stop.request("the web server ended")

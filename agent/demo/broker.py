"""A broker for the demonstration, on a free port of the loopback: a mosquitto of our own, or one in this process."""

import asyncio
import contextlib
import getpass
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from agent.errors import KioskError

__all__ = ["BrokerChoice", "Listening", "find_mosquitto", "running_broker"]

HOST = "127.0.0.1"

_TRIES = 3
"""Between finding a free port and listening on it, somebody else may take it."""
_START_S = 10.0
_LOOK_S = 0.02
_STOP_S = 5.0


class BrokerChoice(StrEnum):
    AUTO = "auto"
    """A mosquitto if there is one, else embedded."""
    MOSQUITTO = "mosquitto"
    EMBEDDED = "embedded"


class Listening(Struct, frozen=True, kw_only=True):
    """Where a broker can be reached without TLS, and the MQTT version to speak: 5 or 311."""

    name: str
    port: int
    protocol: int


class BrokerFailed(KioskError, OSError):
    """No broker could be started."""


def find_mosquitto() -> str | None:
    """The mosquitto of this machine; distributions put it where not every user's path leads."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


@contextmanager
def running_broker(choice: BrokerChoice, directory: Path) -> Iterator[Listening]:
    """A broker that listens, from now to the end of the context; it keeps its files in `directory`.

    Raises KioskError when there is none, or it does not start.
    """
    program = None if choice is BrokerChoice.EMBEDDED else find_mosquitto()
    if program is not None:
        with _mosquitto(program, directory) as port:
            yield Listening(name="mosquitto", port=port, protocol=5)
    elif choice is BrokerChoice.MOSQUITTO:
        raise BrokerFailed("there is no mosquitto here (apt install mosquitto), and none else was asked for")
    else:
        with _embedded() as port:
            yield Listening(name="embedded broker (amqtt)", port=port, protocol=311)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


# -- mosquitto ---------------------------------------------------------------------------------------------------


@contextmanager
def _mosquitto(program: str, directory: Path) -> Iterator[int]:
    log = directory / "mosquitto.log"
    for _ in range(_TRIES):
        port = _free_port()
        process = _start_mosquitto(program, directory, log, port)
        try:
            if _listens(process, port):
                yield port
                return
        finally:
            _end(process)
    raise BrokerFailed(f"mosquitto does not start: {_last_line(log)}")


def _start_mosquitto(program: str, directory: Path, log: Path, port: int) -> "subprocess.Popen[bytes]":
    settings = directory / "mosquitto.conf"
    settings.write_text(
        f"listener {port} {HOST}\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"
        f"set_tcp_nodelay true\nuser {getpass.getuser()}\n"
    )
    with log.open("ab") as out:
        # A group of its own: Ctrl-C is for us, who end it when the kiosk has said good-bye.
        return subprocess.Popen(
            [program, "-c", str(settings)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, process_group=0
        )


def _listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Wait until it does; false when the process has ended or takes too long."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        with socket.socket() as probe:
            is_open = probe.connect_ex((HOST, port)) == 0
        if process.poll() is not None:
            return False
        if is_open:
            return True
        time.sleep(_LOOK_S)
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    return lines[-1] if lines else "it says nothing"


# -- inside this process -----------------------------------------------------------------------------------------


@contextmanager
def _embedded() -> Iterator[int]:
    """amqtt, in a thread with a loop of its own."""
    try:
        from amqtt.broker import Broker
        from amqtt.errors import BrokerError
    except ImportError as exc:
        raise BrokerFailed(
            "the demo needs a broker: install mosquitto, or the one that comes with pip install 'kiosk-agent[demo]'"
        ) from exc
    for name in ("amqtt", "transitions", "websockets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="embedded broker", daemon=True)
    thread.start()

    async def start(port: int) -> Broker:
        # amqtt's other plugins log every packet and publish statistics.
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await broker.start()
        return broker

    try:
        for _ in range(_TRIES):
            port = _free_port()
            try:
                broker = asyncio.run_coroutine_threadsafe(start(port), loop).result(_START_S)
            except BrokerError:
                continue
            try:
                yield port
            finally:
                # Whatever a client left half-done must not keep the demo from ending.
                with contextlib.suppress(BrokerError, TimeoutError):
                    asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(_STOP_S)
            return
        raise BrokerFailed("the embedded broker does not start")
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(_STOP_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOP_S)
        loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""A broker inside this process, on a free port of the loopback: amqtt, in a thread with an event loop of its own."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import TYPE_CHECKING, Any, Literal

from agent.errors import KioskError

if TYPE_CHECKING:
    from amqtt.broker import Broker

__all__ = ["HOST", "PROTOCOL", "running_broker"]

HOST = "127.0.0.1"
PROTOCOL: Literal[311] = 311
"""amqtt speaks MQTT 3.1.1 only."""

_TRIES = 3
"""Between finding a free port and listening on it, another program may take it."""
_START_S = 10.0
_STOP_S = 5.0


class BrokerMissing(KioskError, ImportError):
    """amqtt is not installed."""


class BrokerFailed(KioskError, OSError):
    """The broker does not start."""


@contextmanager
def running_broker() -> Iterator[int]:
    """Run a broker until the end of the context; yield its port. Raises KioskError."""
    try:
        from amqtt.errors import BrokerError
    except ImportError as exc:
        raise BrokerMissing("the demo needs a broker: pip install 'kiosk-agent[demo]'") from exc
    for name in ("amqtt", "transitions", "websockets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with _running_loop() as loop:
        for _ in range(_TRIES):
            port = _free_port()
            try:
                broker = asyncio.run_coroutine_threadsafe(_start(port), loop).result(_START_S)
            except BrokerError:
                continue
            try:
                yield port
            finally:
                # A client that did not disconnect must not keep the demo from ending.
                with contextlib.suppress(BrokerError, TimeoutError):
                    asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(_STOP_S)
            return
        raise BrokerFailed("the demo's broker does not start")


async def _start(port: int) -> "Broker":
    from amqtt.broker import Broker

    # Only this plugin: amqtt's defaults log every packet and publish statistics.
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}}, "plugins": plugins})
    # amqtt awaits while it iterates over the subscriptions. A client that subscribes meanwhile changes the dict, and
    # the RuntimeError would end another client's connection, or the delivery of all messages.
    broker._subscriptions = _Subscriptions()
    await broker.start()
    return broker


class _Subscriptions(dict[Any, Any]):
    """Subscriptions by filter. They may be added during a loop, which does not see them."""

    def __iter__(self) -> Iterator[Any]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        """Return the items as they are now."""
        return list(super().items())


def _free_port() -> int:
    with socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="demo broker", daemon=True)
    thread.start()
    try:
        yield loop
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

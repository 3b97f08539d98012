"""A `MqttLink` under test, connected to a broker of the harness, in an event loop of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from centre.configuration.centre_settings import MqttBrokerSettings
from centre.link.link_settings import LinkTiming, QueueBounds, RetainedTiming
from centre.link.mqtt_link import MqttLink
from centre.link.received import Received
from centre.moments import utc_now
from harness.waiting import DEADLINE_S

__all__ = ["QUICK", "QUICK_RETAINED", "LinkRig", "linked", "run_async", "settings_for", "until"]

SITE = "rtm1"
QUICK = LinkTiming(backoff_s=0.05, backoff_max_s=0.2, resubscribe_s=0.05, tick_s=0.05)
QUICK_RETAINED = RetainedTiming(quiet_s=0.2, marker_s=0.5, database_s=0.05, refused_again_s=0.2, live_s=0.02)


def run_async(test: Coroutine[Any, Any, None]) -> None:
    """Run a test; it may take twice the usual deadline."""
    asyncio.run(asyncio.wait_for(test, 2 * DEADLINE_S))


async def until(condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Return once `condition` is true. Raises AssertionError naming `what`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while not condition():
        assert loop.time() < end, f"waited {deadline_s:.0f} s for {what}"
        await asyncio.sleep(0.01)


def settings_for(port: int, **more: Any) -> MqttBrokerSettings:
    """Return the settings for a broker on the loopback, without TLS if nothing else is said."""
    return MqttBrokerSettings(host="127.0.0.1", port=port, **({"tls": False} | more))


class LinkRig:
    """A link and what it has received. While `gate` is closed, nobody takes what is received."""

    link: MqttLink

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.hook: Callable[[Received], None] = lambda _: None
        """Called with each message."""
        self.connects = 0
        self.disconnects = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def take(self, received: Received) -> None:
        await self.gate.wait()
        self.hook(received)
        self.received.append(received)

    def disconnected(self, _link: MqttLink) -> None:
        self.disconnects += 1

    async def connected(self) -> None:
        await until(lambda: self.link.is_connected and self.connects > self.disconnects, "the connection")

    async def got(self, count: int) -> None:
        await until(lambda: len(self.received) >= count, f"{count} messages")


@asynccontextmanager
async def linked(
    settings: MqttBrokerSettings,
    *,
    on_connect: Callable[[MqttLink], Coroutine[Any, Any, None]] | None = None,
    bounds: QueueBounds | None = None,
    timing: LinkTiming = QUICK,
    wait: bool = True,
    client_id: str = "centre-under-test",
) -> AsyncIterator[LinkRig]:
    """Run a link; with `wait` it is connected and subscribed when this yields."""
    rig = LinkRig()

    async def connected(link: MqttLink) -> None:
        rig.connects += 1
        if on_connect is not None:
            await on_connect(link)

    rig.link = MqttLink(
        settings,
        [SITE],
        client_id=client_id,
        now=utc_now,
        on_message=rig.take,
        on_connect=connected,
        on_disconnect=rig.disconnected,
        bounds=bounds,
        timing=timing,
    )
    task = asyncio.create_task(rig.link.run())
    try:
        if wait:
            await rig.connected()
        yield rig
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

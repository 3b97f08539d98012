"""Publish the retained views: `health`, and one view per station."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping

from msgspec.json import encode
from msgspec.structs import replace

from agent.contract.kiosk_health import KioskHealth
from agent.contract.station_view import StationView
from agent.daemon.monitor import Monitor
from agent.daemon.thread_safe_event import ThreadSafeEvent
from agent.drivers.indicators.indicator import Indicator
from agent.runtime.clock import Clock
from agent.uplink.uplink import Uplink

__all__ = ["publish_health", "publish_views"]

_HEALTH_S = 30.0
_HEALTH_EXPIRY_S = 90
_LOOK_S = 1.0
"""How often to look for changes that come without a callback: of the clock, of an indicator."""

_VIEW_S = 0.2
"""At most five views of a station, and of `health`, a second (`mqtt.md#station-view`)."""


async def publish_health(
    monitor: Monitor, uplink: Uplink, indicators: Mapping[str, Indicator], changed: ThreadSafeEvent, clock: Clock
) -> None:
    """Publish `health` now, every 30 s, and at once when it has changed (`mqtt.md#health`). Never returns.

    Show on the indicators whether the uplink is offline (`signals.md#steady-lights`).
    """
    due, facts, is_changed = -math.inf, None, True
    while True:
        now, newest = clock.monotonic(), monitor.urgent_facts()
        if is_changed or newest != facts or now >= due:
            uplink.publish_view("health", _payload_of(monitor.health()), expiry_s=_HEALTH_EXPIRY_S)
            due, facts = now + _HEALTH_S, newest
        if is_changed:
            is_offline = not uplink.health().online
            for indicator in indicators.values():
                indicator.offline(is_offline)
        await asyncio.sleep(_VIEW_S)  # a flood of changes must not keep this thread busy
        is_changed = await changed.wait(max(0.0, min(_LOOK_S, due - clock.monotonic())))


def _payload_of(view: KioskHealth | StationView) -> Callable[[int], bytes]:
    return lambda connection: encode(replace(view, connection=connection))


async def publish_views(monitor: Monitor, uplink: Uplink, stations: Iterable[str], changed: set[str]) -> None:
    """Publish the view of every station, and then of each that is added to `changed`. Never returns.

    Any thread may add a station. A view that differs from the last one only in its time is not published.
    """
    published: dict[str, StationView] = {}
    changed.update(stations)
    while True:
        while changed:
            station = changed.pop()
            view = monitor.view(station)
            known = published.get(station)
            if known is None or replace(known, time=view.time, connection=view.connection) != view:
                published[station] = view
                uplink.publish_view(f"station/{station}", _payload_of(view))
        await asyncio.sleep(_VIEW_S)

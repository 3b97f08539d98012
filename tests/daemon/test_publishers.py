"""When `health` and the station views are published."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agent.contract.station_view import Phase, StationView
from agent.daemon import publishers
from agent.daemon.publishers import publish_health, publish_views
from agent.daemon.thread_safe_event import ThreadSafeEvent
from agent.drivers.indicators.fake_indicator import FakeIndicator
from agent.runtime.clock import SystemClock
from agent.uplink.retained_views import Payload

VIEW = StationView(
    state=Phase.READY, signed_in=False, operator=None, order=None, mode=None, product=None, scanned=None, pending=None,
    box=None, last=None, held=False, time="2026-11-22T17:53:01.123Z", connection=0,
)  # fmt: skip


class Kiosk:
    """What the publishers look at, and where they publish: monitor and uplink in one."""

    def __init__(self) -> None:
        self.facts: tuple[object, ...] = ()
        self.view_now = VIEW
        self.online = False
        self.published: list[str] = []

    def urgent_facts(self) -> tuple[object, ...]:
        return self.facts

    def health(self) -> Any:
        return self  # the uplink's, asked for `online`

    def view(self, station: str) -> StationView:
        return self.view_now

    def publish_view(self, suffix: str, payload: Payload, *, expiry_s: int | None = None) -> None:
        assert (expiry_s == 90) is (suffix == "health")
        self.published.append(suffix)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0.005)


class Health(Kiosk):
    """The same, with a health that can be encoded."""

    def health(self) -> Any:
        return {"uplink": {}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishers, "_LOOK_S", 0.02)
    monkeypatch.setattr(publishers, "_VIEW_S", 0.01)


def run(main: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(main(), 30))


def test_health_is_published_at_once_on_change_and_every_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mqtt.md#health`"""

    async def main() -> None:
        monitor, uplink, light = Health(), Kiosk(), FakeIndicator()
        changed = ThreadSafeEvent(asyncio.get_running_loop())
        publishing = publish_health(monitor, uplink, {"1": light}, changed, SystemClock())  # type: ignore[arg-type]
        task = asyncio.create_task(publishing)
        await monitor.until(lambda: len(uplink.published) == 1)
        assert light.is_offline
        await asyncio.sleep(0.1)
        assert len(uplink.published) == 1, "nothing has changed"
        uplink.online = True
        changed.set()
        await monitor.until(lambda: len(uplink.published) == 2)
        assert not light.is_offline
        monitor.facts = ("the clock is synchronised",)
        await monitor.until(lambda: len(uplink.published) == 3)
        monkeypatch.setattr(publishers, "_HEALTH_S", 0.03)
        changed.set()
        await monitor.until(lambda: len(uplink.published) >= 6)
        task.cancel()

    run(main)


def test_a_view_is_published_when_it_has_changed_in_more_than_its_time() -> None:
    """`mqtt.md#station-view`"""

    async def main() -> None:
        kiosk = Kiosk()
        changed: set[str] = set()
        task = asyncio.create_task(publish_views(kiosk, kiosk, ["1", "2"], changed))  # type: ignore[arg-type]
        await kiosk.until(lambda: len(kiosk.published) == 2)
        assert sorted(kiosk.published) == ["station/1", "station/2"]
        kiosk.view_now = StationView(**{**_fields(VIEW), "time": "2026-11-22T17:53:09.000Z"})
        changed.add("1")
        await asyncio.sleep(0.05)
        assert len(kiosk.published) == 2, "only the time is new"
        kiosk.view_now = StationView(**{**_fields(VIEW), "signed_in": True})
        changed.add("1")
        await kiosk.until(lambda: len(kiosk.published) == 3)
        assert kiosk.published[2] == "station/1"
        task.cancel()

    run(main)


def _fields(view: StationView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__struct_fields__}

"""The installed kiosk in a guest: configured, run by systemd, and watched through the guest's broker."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from harness.codes import topic_level
from harness.settings import toml
from harness.waiting import wait_for
from harness.warehouse import manifest
from tests.rig.machine import Machine

__all__ = ["BADGE", "PATIENCE_S", "GuestKiosk"]

PATIENCE_S = 120.0
_POLL_S = 0.2
"""Each look is a command in the guest, which is slow under emulation."""

_T = TypeVar("_T")

BADGE = "BADGE-E7"
"""The badge of the one operator."""

_SETTINGS: dict[str, Any] = {
    "kiosk": {"site": "rig", "id": "k1", "state_dir": "/var/lib/kiosk-agent"},
    "mqtt": {"host": "127.0.0.1", "port": 1883, "tls": False},
    "uplink": {"confirm": "broker", "reserve_mb": 4},
    "workflow": {"required_roles": [], "packer_confirms": False},
}
_STATION: dict[str, Any] = {
    "id": "1",
    "indicator": {"driver": "gpio", "red": 17, "green": 27, "blue": 22, "buzzer": 18, "bar": [5, 6, 13, 19, 26]},
    "buttons": {"save": 23, "undo": 24},
}


class GuestKiosk:
    """`kiosk-agent.service` in a guest, and everything that it has published."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        machine.until("mosquitto_pub -V 5 -t rig -n")  # until the broker answers
        self.listen()
        self._seen = 0
        self._healths_before = 0
        self._transactions = itertools.count(1)

    def listen(self) -> None:
        """Record what is published; call it again after the broker was away."""
        self.machine.run("pkill -x mosquitto_sub; true")
        self.machine.start("mosquitto_sub -V 5 -t 'kiosk/#' -F '%t %r %p' -q 1", "/run/published.log")

    def configure(self, scanners: Sequence[Mapping[str, str]]) -> None:
        settings = {**_SETTINGS, "station": [{**_STATION, "scanner": list(scanners)}]}
        self.machine.put("/etc/kiosk-agent/agent.toml", toml(settings))

    # -- the service -------------------------------------------------------------------------------------------------

    def systemctl(self, verb: str) -> str:
        self.forget_health()
        return self.machine.run(f"systemctl {verb} kiosk-agent", check=False)

    def start(self) -> None:
        """Start the service; it is up when systemd has its READY=1."""
        self.forget_health()
        self.machine.run("systemctl reset-failed kiosk-agent; systemctl start kiosk-agent", timeout_s=150)

    @property
    def pid(self) -> int:
        return int(self.show("MainPID"))

    def show(self, what: str) -> str:
        """Return a property of the service."""
        return self.machine.run(f"systemctl show -p {what} --value kiosk-agent").strip()

    # -- the centre --------------------------------------------------------------------------------------------------

    def publish(self, topic: str, content: object, *, retain: bool = True) -> None:
        """Publish a message on a topic below the site's root."""
        self.machine.put("/run/message", json.dumps(content))
        flag = "-r" if retain else ""
        self.machine.run(f"mosquitto_pub -V 5 -q 1 {flag} -t 'kiosk/v1/rig/{topic}' -f /run/message")

    def settle(self) -> None:
        """Wait until the kiosk has taken what was published: it answers a request after the messages before it."""
        transaction = f"settle-{next(self._transactions)}"
        self.publish("agent/k1/request/health", {"transaction": transaction}, retain=False)
        self._wait(self.published, lambda found: any(topic == f"response/{transaction}" for topic, _ in found))

    def publish_operator(self) -> None:
        """Publish an operators list of one operator, E7, with `BADGE`."""
        roles = ["picking", "packing", "shipping"]
        operator = {"operator": "E7", "name": "Operator", "badges": [BADGE], "roles": roles}
        self.publish("reference/operators", {"revision": 1, "items": [operator]})

    def publish_order(self, order: str, *lines: Mapping[str, Any], **more: Any) -> None:
        """Publish a manifest; `more` is what `harness.warehouse.manifest` takes."""
        self.publish(f"order/{topic_level(order)}", manifest(order, *lines, operators=None, **more))

    # -- what it publishes -------------------------------------------------------------------------------------------

    def published(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return all that was published so far: (topic below the kiosk's own, content)."""
        found = []
        for line in self.machine.get("/run/published.log").decode("utf-8", "replace").splitlines():
            topic, _, content = line.split(" ", 2) if line.count(" ") >= 2 else ("", "", "")
            if "/agent/k1/" in topic and content.startswith("{"):
                found.append((topic.split("/agent/k1/")[1], json.loads(content)))
        return found

    def events(self) -> list[Mapping[str, Any]]:
        return [content for topic, content in self.published() if topic.startswith("event/")]

    def mark(self) -> None:
        """Have `scans` return what comes from now on."""
        self._seen = len(self.events())

    def scans(self) -> list[tuple[str, str]]:
        """Return the refused scans since the mark: (scanner, text), or (scanner, "unreadable")."""
        found = []
        for event in self.events()[self._seen :]:
            if event["type"] == "kiosk.scan.rejected.v1":
                data = event["data"]
                found.append((data["scanner"], "unreadable" if data["reason"] == "unreadable" else data["code"]))
        return found

    def wait_scans(self, count: int, timeout_s: float = PATIENCE_S) -> list[tuple[str, str]]:
        """Wait until at least `count` scans were refused since the mark, and return them."""
        return self._wait(self.scans, lambda found: len(found) >= count, timeout_s)

    def forget_health(self) -> None:
        """Have `health` return only what is published from now on: the service is being restarted."""
        self._healths_before = len(self._healths())

    def health(self) -> Mapping[str, Any]:
        """Return the newest health; empty if none has come since `forget_health`."""
        since = self._healths()[self._healths_before :]
        return since[-1] if since else {}

    def _healths(self) -> list[Mapping[str, Any]]:
        return [content for topic, content in self.published() if topic == "health"]

    def connected(self) -> dict[str, bool]:
        """Return each scanner by name, and whether it is connected."""
        return {one["name"]: one["connected"] for one in self.health().get("scanners", [])}

    def wait_connected(self, *names: str, state: bool = True, timeout_s: float = PATIENCE_S) -> None:
        self._wait(self.connected, lambda now: all(now.get(name) is state for name in names), timeout_s)

    def wait_indicator(self, *, connected: bool) -> Mapping[str, Any]:
        """Wait until health says whether the indicator is connected; return what it says about it."""

        def indicator() -> Mapping[str, Any]:
            found: Mapping[str, Any] = next(iter(self.health().get("indicator", [])), {})
            return found

        return self._wait(indicator, lambda one: one.get("connected") is connected)

    def view(self) -> Mapping[str, Any]:
        """Return the newest view of the station."""
        views = [content for topic, content in self.published() if topic == "station/1"]
        return views[-1] if views else {}

    def wait_view(self, **wanted: Any) -> Mapping[str, Any]:
        """Wait until the station's view has these fields, and return it."""
        return self._wait(self.view, lambda view: all(view.get(key) == value for key, value in wanted.items()))

    def _wait(self, look: Callable[[], _T], wanted: Callable[[_T], bool], timeout_s: float = PATIENCE_S) -> _T:
        seen: list[_T] = []

        def is_there() -> bool:
            seen[:] = [look()]
            return wanted(seen[0])

        try:
            wait_for(is_there, "what the test expects", deadline_s=timeout_s, poll_s=_POLL_S)
        except AssertionError as exc:
            raise AssertionError(f"{exc}; at last there was {str(seen[0])[-600:]}") from None
        return seen[0]

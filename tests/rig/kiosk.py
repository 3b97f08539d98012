"""The installed kiosk in the guest: configured, run by systemd, and watched through the broker."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tests.rig.machine import GuestError, Machine

__all__ = ["CONFIG", "Kiosk"]

PATIENCE_S = 120.0

_T = TypeVar("_T")

CONFIG = """
[kiosk]
site = "rig"
id = "k1"
state_dir = "/var/lib/kiosk-agent"
[mqtt]
host = "127.0.0.1"
port = 1883
tls = false
[uplink]
confirm = "broker"
reserve_mb = 4
[workflow]
required_roles = []
packer_confirms = false
[[station]]
id = "1"
{scanners}
[station.indicator]
driver = "gpio"
red = 17
green = 27
blue = 22
buzzer = 18
bar = [5, 6, 13, 19, 26]
[station.buttons]
save = 23
undo = 24
"""


class Kiosk:
    """`kiosk-agent.service` in the guest, and everything that it has published."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        machine.until("mosquitto_pub -V 5 -t rig -n")  # until the broker answers
        self.listen()
        self._seen = 0
        self._healths_before = 0

    def listen(self) -> None:
        """Write down what is published; again after the broker was away."""
        self.machine.run("pkill -x mosquitto_sub; true")
        self.machine.start("mosquitto_sub -V 5 -t 'kiosk/#' -F '%t %r %p' -q 1", "/run/published.log")

    def configure(self, scanners: str) -> None:
        self.machine.put("/etc/kiosk-agent/agent.toml", CONFIG.format(scanners=scanners))

    def systemctl(self, verb: str) -> str:
        self.forget()
        return self.machine.run(f"systemctl {verb} kiosk-agent", check=False)

    def start(self) -> None:
        """Start the service; it is up when systemd has its READY=1."""
        self.forget()
        self.machine.run("systemctl reset-failed kiosk-agent; systemctl start kiosk-agent", timeout_s=150)

    def forget(self) -> None:
        """What its health was before now says nothing any more: it is being restarted."""
        self._healths_before = len(self._healths())

    @property
    def pid(self) -> int:
        return int(self.machine.run("systemctl show -p MainPID --value kiosk-agent"))

    def show(self, what: str) -> str:
        return self.machine.run(f"systemctl show -p {what} --value kiosk-agent").strip()

    def publish(self, topic: str, content: object) -> None:
        self.machine.put("/run/message", json.dumps(content))
        self.machine.run(f"mosquitto_pub -V 5 -q 1 -r -t 'kiosk/v1/rig/{topic}' -f /run/message")

    def published(self) -> list[tuple[str, Mapping[str, Any]]]:
        """All that came since the start: (topic below the kiosk's own, content)."""
        found = []
        for line in self.machine.get("/run/published.log").decode("utf-8", "replace").splitlines():
            topic, _, content = line.split(" ", 2) if line.count(" ") >= 2 else ("", "", "")
            if "/agent/k1/" in topic and content.startswith("{"):
                found.append((topic.split("/agent/k1/")[1], json.loads(content)))
        return found

    def events(self) -> list[Mapping[str, Any]]:
        return [content for topic, content in self.published() if topic.startswith("event/")]

    def mark(self) -> None:
        """What has come up to now is of no more interest to `scans`."""
        self._seen = len(self.events())

    def scans(self) -> list[tuple[str, str]]:
        """The refused scans since the mark: (scanner, text), or (scanner, "unreadable")."""
        found = []
        for event in self.events()[self._seen :]:
            if event["type"] == "kiosk.scan.rejected.v1":
                data = event["data"]
                found.append((data["scanner"], "unreadable" if data["reason"] == "unreadable" else data["code"]))
        return found

    def wait_scans(self, count: int, timeout_s: float = PATIENCE_S) -> list[tuple[str, str]]:
        """`scans`, once there are so many of them."""
        return self._wait(self.scans, lambda found: len(found) >= count, timeout_s)

    def health(self) -> Mapping[str, Any]:
        """The newest health; empty before the first since `forget`."""
        since = self._healths()[self._healths_before :]
        return since[-1] if since else {}

    def _healths(self) -> list[Mapping[str, Any]]:
        return [content for topic, content in self.published() if topic == "health"]

    def connected(self) -> dict[str, bool]:
        return {one["name"]: one["connected"] for one in self.health().get("scanners", [])}

    def wait_connected(self, *names: str, state: bool = True, timeout_s: float = PATIENCE_S) -> None:
        self._wait(self.connected, lambda now: all(now.get(name) is state for name in names), timeout_s)

    def wait_indicator(self, *, connected: bool) -> Mapping[str, Any]:
        """The station's indicator in health, once it is so."""

        def indicator() -> Mapping[str, Any]:
            found: Mapping[str, Any] = next(iter(self.health().get("indicator", [])), {})
            return found

        return self._wait(indicator, lambda one: one.get("connected") is connected)

    def view(self) -> Mapping[str, Any]:
        all_of_it = [content for topic, content in self.published() if topic == "station/1"]
        return all_of_it[-1] if all_of_it else {}

    def wait_view(self, **wanted: Any) -> Mapping[str, Any]:
        return self._wait(self.view, lambda view: all(view.get(key) == value for key, value in wanted.items()))

    def _wait(self, look: Callable[[], _T], wanted: Callable[[_T], bool], timeout_s: float = PATIENCE_S) -> _T:
        until = time.monotonic() + timeout_s
        while not wanted(found := look()):
            if time.monotonic() > until:
                raise GuestError(f"waited for something else than {str(found)[-600:]}")
            time.sleep(0.2)
        return found

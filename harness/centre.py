"""The centre: publishes what kiosks need to know, asks them things, and reads what they say about themselves."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import MQTTMessage
from pydantic import ValidationError

from harness.broker import Broker
from harness.client import Connection
from harness.codes import topic_level
from harness.models import Health, Response, StationView, Status
from harness.waiting import DEADLINE_S

__all__ = ["Centre", "line", "retained"]


def line(
    name: str, sku: str, quantity: int, *, flow: str | None = "used", serialized: bool = True, **more: Any
) -> dict[str, Any]:
    """A line of a manifest; `more` is `gtins`, `tacs`, `units`, `serial_length`."""
    found = {"line": name, "sku": sku, "quantity": quantity, "serialized": serialized, **more}
    return found if flow is None else {**found, "flow": flow}


class Centre(Connection):
    """One site, one kiosk. `problems` has a line for each view or answer that is not what the contract says."""

    def __init__(self, broker: Broker, *, kiosk: str, site: str = "rtm1", user: str | None = None) -> None:
        super().__init__(broker, user=user)
        self.site = site
        self.kiosk = kiosk
        self.problems: list[str] = []
        self.statuses: list[Status] = []
        self.health: dict[str, Any] | None = None
        self._views: dict[str, StationView] = {}
        self._responses: dict[str, list[bytes]] = {}

    @property
    def root(self) -> str:
        return f"kiosk/v1/{self.site}"

    @property
    def agent(self) -> str:
        return f"{self.root}/agent/{self.kiosk}"

    def topics(self) -> list[str]:
        return [f"{self.agent}/{what}" for what in ("status", "health", "station/+", "response/+")]

    def arrived(self, message: MQTTMessage) -> None:
        if not message.payload:
            return
        what, _, rest = message.topic.removeprefix(f"{self.agent}/").partition("/")
        try:
            if what == "status":
                self.statuses.append(Status.model_validate_json(message.payload))
            elif what == "health":
                Health.model_validate_json(message.payload)
                self.health = json.loads(message.payload)
            elif what == "station":
                self._views[rest] = StationView.model_validate_json(message.payload)
            else:
                answer = Response.model_validate_json(message.payload)
                assert answer.transaction == rest, f"{message.topic} answers {answer.transaction}"
                self._responses.setdefault(rest, []).append(bytes(message.payload))
        except (ValidationError, AssertionError) as wrong:
            self.problems.append(f"{message.topic}: {message.payload[:600]!r}: {wrong}")

    # -- telling -----------------------------------------------------------------------------------------------

    def tell(self, what: str, content: object) -> None:
        """Retain a message below the site's root; bytes and text as they are, all else as JSON, None empties it."""
        if content is None:
            content = b""
        payload = content if isinstance(content, bytes | str) else json.dumps(content)
        self.wait_connected()
        self.publish(f"{self.root}/{what}", payload, retain=True)

    def order(self, order: str, *lines: dict[str, Any], revision: int = 1, **more: Any) -> None:
        """Retain a manifest, by default open and with all roles assigned to E7."""
        roles = {"picking": "E7", "packing": "E7", "shipping": "E7"}
        manifest = {
            "order": order, "revision": revision, "type": "normal", "status": "open", "operators": roles,
            "lines": list(lines), **more,
        }  # fmt: skip
        self.tell(f"order/{topic_level(order)}", manifest)

    def withdraw(self, order: str) -> None:
        self.tell(f"order/{topic_level(order)}", None)

    def operators(self, revision: int, items: list[dict[str, Any]], **more: Any) -> None:
        self.tell("reference/operators", {"revision": revision, "items": items, **more})

    def boxes(self, revision: int, items: list[dict[str, Any]]) -> None:
        self.tell("reference/boxes", {"revision": revision, "items": items})

    def blocked(self, part: str, revision: int, items: list[str]) -> None:
        self.tell(f"reference/blocked/{part}", {"revision": revision, "items": items})

    def index(self, revision: int, orders: dict[str, int]) -> None:
        self.tell("reference/orders", {"revision": revision, "orders": orders})

    def verdict(
        self, name: str, revision: int, action: str, order: str, unit: str, reason: str = "counted twice"
    ) -> None:
        content = {"revision": revision, "action": action, "order": order, "unit": unit, "reason": reason}
        self.tell(f"agent/{self.kiosk}/verdict/{name}", content)

    # -- asking ------------------------------------------------------------------------------------------------

    def send_request(self, name: str, transaction: str, **fields: Any) -> None:
        self.wait_connected()
        self.publish(f"{self.agent}/request/{name}", json.dumps({"transaction": transaction, **fields}))

    def answers(self, transaction: str) -> list[bytes]:
        """All answers to a transaction by now, as they came."""
        with self.changed:
            return list(self._responses.get(transaction, ()))

    def wait_answers(self, transaction: str, count: int = 1, *, deadline_s: float = DEADLINE_S) -> list[bytes]:
        with self.changed:
            there = self.changed.wait_for(lambda: len(self._responses.get(transaction, ())) >= count, deadline_s)
            assert there, f"the kiosk does not answer {transaction}; {self.problems}"
            return list(self._responses[transaction])

    def request(self, name: str, **fields: Any) -> dict[str, Any]:
        """Ask, and return the answer."""
        transaction = uuid.uuid4().hex
        self.send_request(name, transaction, **fields)
        answer: dict[str, Any] = json.loads(self.wait_answers(transaction)[0])
        return answer

    def settle(self) -> None:
        """Return when the kiosk has taken all that this centre told it: a question behind it is answered after it."""
        self.request("health")

    # -- reading -----------------------------------------------------------------------------------------------

    def view(self, station: str = "1") -> StationView | None:
        with self.changed:
            return self._views.get(station)

    def forget_views(self) -> None:
        """Only what is published from now on counts."""
        with self.changed:
            self._views.clear()
            self.health = None

    def wait_view(
        self, condition: Callable[[StationView], bool], station: str = "1", *, deadline_s: float = DEADLINE_S
    ) -> StationView:
        """The station's view once it meets a condition."""

        def met() -> bool:
            view = self._views.get(station)
            return view is not None and condition(view)

        with self.changed:
            assert self.changed.wait_for(met, deadline_s), (
                f"station {station} is {self._views.get(station)}; {self.problems}"
            )
            return self._views[station]

    def wait_status(self, state: str, *, after: int = 0, deadline_s: float = DEADLINE_S) -> Status:
        """The newest status once it is `state`, and more than `after` have come."""
        with self.changed:
            there = self.changed.wait_for(
                lambda: len(self.statuses) > after and self.statuses[-1].state == state, deadline_s
            )
            assert there, f"status is {self.statuses[-1:]}, not {state}; {self.problems}"
            return self.statuses[-1]

    def wait_health(
        self, condition: Callable[[dict[str, Any]], bool], what: str, *, deadline_s: float = DEADLINE_S
    ) -> dict[str, Any]:
        with self.changed:
            there = self.changed.wait_for(lambda: self.health is not None and condition(self.health), deadline_s)
            assert there, f"health does not say {what}: {self.health}; {self.problems}"
            assert self.health is not None
            return self.health


class _Reader(Connection):
    """Collects what is retained below a filter."""

    def __init__(self, broker: Broker, topic: str, user: str | None) -> None:
        super().__init__(broker, user=user)
        self._topic = topic
        self.end = f"end/{uuid.uuid4().hex}"
        self.found: dict[str, bytes] = {}
        self.ended = False

    def topics(self) -> list[str]:
        return [self._topic, self.end]

    def arrived(self, message: MQTTMessage) -> None:
        if message.topic == self.end:
            self.ended = True
        elif message.retain:
            self.found[message.topic] = bytes(message.payload)


def retained(broker: Broker, topic: str, *, user: str | None = None) -> dict[str, bytes]:
    """What a newcomer gets at once: the retained messages below a filter, by topic."""
    reader = _Reader(broker, topic, user)
    reader.start()
    # Retained messages are queued at the subscription, so they come before what is published after it.
    reader.publish(reader.end, b"")
    with reader.changed:
        assert reader.changed.wait_for(lambda: reader.ended, DEADLINE_S)
    reader.stop()
    return reader.found

"""A simulated centre: publishes what one kiosk needs, sends it requests, and reads its status, health and views."""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from paho.mqtt.client import MQTTMessage
from pydantic import ValidationError

from harness.broker import Broker
from harness.client import BrokerClient
from harness.codes import topic_level
from harness.views import Health, Response, StationView, Status
from harness.waiting import DEADLINE_S
from harness.warehouse import manifest
from harness.wire import problems

__all__ = ["Centre", "retained"]


class Centre(BrokerClient):
    """The centre as one kiosk of a site knows it.

    `problems` has a line for each status, view or answer that breaks the contract; `statuses` are all that came.
    """

    def __init__(self, broker: Broker, *, kiosk: str, site: str = "rtm1", user: str | None = None) -> None:
        super().__init__(broker, user=user)
        self.site = site
        self.kiosk = kiosk
        self.problems: list[str] = []
        self.statuses: list[Status] = []
        self.health: dict[str, Any] | None = None
        self._views: dict[str, StationView] = {}
        self._answers: dict[str, list[bytes]] = {}

    @property
    def root(self) -> str:
        """The site's topic root."""
        return f"kiosk/v1/{self.site}"

    @property
    def agent(self) -> str:
        """The kiosk's own topic."""
        return f"{self.root}/agent/{self.kiosk}"

    def topics(self) -> list[str]:
        return [f"{self.agent}/{what}" for what in ("status", "health", "station/+", "response/+")]

    def arrived(self, message: MQTTMessage) -> None:
        if not message.payload:
            return
        what, _, rest = message.topic.removeprefix(f"{self.agent}/").partition("/")
        self.problems += problems(message.topic, message.payload)
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
                self._answers.setdefault(rest, []).append(bytes(message.payload))
        except (ValidationError, AssertionError) as exc:
            self.problems.append(f"{message.topic}: {message.payload[:600]!r}: {exc}")

    # -- publishing --------------------------------------------------------------------------------------------

    def tell(self, topic: str, content: object, *, check: bool = True) -> None:
        """Retain a message on a topic below the site's root, and return when the broker has it.

        Bytes and text are sent as they are, None as an empty message, everything else as JSON. With `check`, raises
        AssertionError for a message that its schema forbids.
        """
        payload = b"" if content is None else content if isinstance(content, bytes | str) else json.dumps(content)
        self._send(f"{self.root}/{topic}", payload, retain=True, check=check)

    def _send(self, topic: str, payload: bytes | str, *, retain: bool, check: bool) -> None:
        if check and payload:
            wrong = problems(topic, payload)
            assert not wrong, f"the test publishes what the contract forbids: {wrong}"
        self.wait_connected()
        self.publish(topic, payload, retain=retain)

    def order(self, order: str, *lines: Mapping[str, Any], **more: Any) -> None:
        """Retain a manifest; `more` is what `harness.warehouse.manifest` takes."""
        self.tell(f"order/{topic_level(order)}", manifest(order, *lines, **more))

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

    def index_part(self, part: str, revision: int, orders: dict[str, int]) -> None:
        self.tell(f"reference/orders/{part}", {"revision": revision, "orders": orders})

    def counted(self, order: str, part: str, revision: int, boxes: list[dict[str, Any]]) -> None:
        """Retain a part of what kiosks have packed for an order."""
        content = {"order": order, "part": part, "revision": revision, "boxes": boxes}
        self.tell(f"counted/{topic_level(order)}/{part}", content)

    def verdict(
        self, name: str, revision: int, action: str, order: str, unit: str | None, reason: str = "counted twice"
    ) -> None:
        content = {"revision": revision, "action": action, "order": order, "unit": unit, "reason": reason}
        self.tell(f"agent/{self.kiosk}/verdict/{name}", content)

    # -- asking ------------------------------------------------------------------------------------------------

    def send_request(
        self, name: str, transaction: str, fields: Mapping[str, Any] | None = None, *, check: bool = True
    ) -> None:
        """Send a request; `fields` are those in addition to `transaction`, and `check` is that of `tell`."""
        payload = json.dumps({"transaction": transaction, **(fields or {})})
        self._send(f"{self.agent}/request/{name}", payload, retain=False, check=check)

    def answers(self, transaction: str) -> list[bytes]:
        """Return the answers to a transaction that have come so far."""
        with self.changed:
            return list(self._answers.get(transaction, ()))

    def wait_answers(self, transaction: str, count: int = 1, *, deadline_s: float = DEADLINE_S) -> list[bytes]:
        """Wait for `count` answers to a transaction, and return them."""
        what = f"answer {count} to {transaction}"
        self.wait_until(lambda: len(self._answers.get(transaction, ())) >= count, what, deadline_s=deadline_s)
        return self.answers(transaction)

    def request(self, name: str, fields: Mapping[str, Any] | None = None, *, check: bool = True) -> dict[str, Any]:
        """Send a request as `send_request` does, wait for its answer, and return that."""
        transaction = uuid.uuid4().hex
        self.send_request(name, transaction, fields, check=check)
        answer: dict[str, Any] = json.loads(self.wait_answers(transaction)[0])
        return answer

    def settle(self) -> None:
        """Return when the kiosk has taken everything that was published so far.

        A request is answered after the messages before it are taken.
        """
        self.request("health")

    # -- reading -----------------------------------------------------------------------------------------------

    def forget_views(self) -> None:
        """Drop the views and the health that came so far, so that a wait looks at new ones only."""
        with self.changed:
            self._views.clear()
            self.health = None

    def wait_view(
        self, condition: Callable[[StationView], bool], station: str = "1", *, deadline_s: float = DEADLINE_S
    ) -> StationView:
        """Wait until a station's view meets a condition, and return it."""

        def met() -> bool:
            view = self._views.get(station)
            return view is not None and condition(view)

        self.wait_until(met, f"another view of station {station}", deadline_s=deadline_s)
        with self.changed:
            return self._views[station]

    def wait_status(self, state: str, *, after: int = 0, deadline_s: float = DEADLINE_S) -> Status:
        """Wait until more than `after` statuses have come and the newest one is `state`; return that one."""

        def met() -> bool:
            return len(self.statuses) > after and self.statuses[-1].state == state

        self.wait_until(met, f"the status {state}", deadline_s=deadline_s)
        with self.changed:
            return self.statuses[-1]

    def wait_health(
        self, condition: Callable[[dict[str, Any]], bool], what: str, *, deadline_s: float = DEADLINE_S
    ) -> dict[str, Any]:
        """Wait until the health meets a condition, and return it."""
        self.wait_until(
            lambda: self.health is not None and condition(self.health), f"health: {what}", deadline_s=deadline_s
        )
        with self.changed:
            assert self.health is not None
            return self.health

    def state(self) -> str:
        return f"status {self.statuses[-1:]}, views {self._views}, health {self.health}, problems: {self.problems}"


class _RetainedReader(BrokerClient):
    """Collects what is retained below a topic filter."""

    def __init__(self, broker: Broker, topic: str, user: str | None) -> None:
        super().__init__(broker, user=user)
        self._topic = topic
        self.end = f"end/{uuid.uuid4().hex}"
        self.found: dict[str, bytes] = {}
        self.has_ended = False

    def topics(self) -> list[str]:
        return [self._topic, self.end]

    def arrived(self, message: MQTTMessage) -> None:
        if message.topic == self.end:
            self.has_ended = True
        elif message.retain:
            self.found[message.topic] = bytes(message.payload)


def retained(broker: Broker, topic: str, *, user: str | None = None) -> dict[str, bytes]:
    """Return the retained messages below a topic filter, by topic."""
    with _RetainedReader(broker, topic, user) as reader:
        # The broker queues retained messages at the subscription, so they come before what is published after it.
        reader.publish(reader.end, b"")
        reader.wait_until(lambda: reader.has_ended, "the end of what is retained")
    return reader.found

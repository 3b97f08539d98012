"""The consumer of a site's events: stores each event once, acknowledges, and records every broken promise."""

import json
from collections.abc import Callable
from typing import NamedTuple

from paho.mqtt.client import MQTTMessage
from pydantic import ValidationError

from harness.broker import Broker
from harness.client import BrokerClient
from harness.models import Event, category, event_of
from harness.waiting import DEADLINE_S
from harness.wire import problems

__all__ = ["Consumer", "ReceivedEvent"]

EVENT_BYTES_MAX = 65536


class ReceivedEvent(NamedTuple):
    """One event: the document's bytes as they arrived, and what they say."""

    document: bytes
    event: Event


_EventKey = tuple[str, str]
"""(source, event id)"""
_JournalKey = tuple[str, str]
"""(source, journal id)"""


class Consumer(BrokerClient):
    """Subscribes to the events of every kiosk of a site, and acknowledges them per journal, up to the first gap.

    `problems` has a line for each message that breaks the contract: no valid event, the wrong topic, retained, without
    its MQTT properties, or a second event under a known id. `gaps` counts events that came before one of a lower
    sequence, `repeats` events that came again. Setting `acknowledging` to false withholds the acknowledgements; true
    sends them.
    """

    def __init__(
        self, broker: Broker, *, site: str = "rtm1", acknowledging: bool = True, user: str | None = None
    ) -> None:
        super().__init__(broker, user=user)
        self.site = site
        self.problems: list[str] = []
        self.gaps = 0
        self.repeats = 0
        self._acknowledging = acknowledging
        self._forget()

    def _forget(self) -> None:
        self._stored: dict[_EventKey, ReceivedEvent] = {}
        self._order: list[_EventKey] = []
        self._ids: dict[_JournalKey, dict[int, str]] = {}
        self._through: dict[_JournalKey, int] = {}
        self._newest: dict[str, str] = {}

    def topics(self) -> list[str]:
        return [f"kiosk/v1/{self.site}/agent/+/event/#"]

    def connected(self) -> None:
        # The broker may have lost what it retained.
        self._acknowledge_all()

    # -- storing -----------------------------------------------------------------------------------------------

    def arrived(self, message: MQTTMessage) -> None:
        document = bytes(message.payload)
        try:
            event = event_of(document)
        except ValidationError as exc:
            self.problems.append(f"{message.topic}: {document[:600]!r}: {exc}")
            return
        self._check(message, event)
        self._store(document, event)
        self._acknowledge(event.source)

    def _check(self, message: MQTTMessage, event: Event) -> None:
        properties = message.properties
        site, kiosk = event.source.removeprefix("/kiosk/").split("/")
        wrong = [
            what
            for what, is_wrong in (
                ("topic", message.topic != f"kiosk/v1/{site}/agent/{kiosk}/event/{category(event)}"),
                ("retained", message.retain),
                ("qos", message.qos != 1),
                ("size", len(message.payload) > EVENT_BYTES_MAX),
                ("content type", getattr(properties, "ContentType", None) != "application/cloudevents+json"),
                ("payload format", getattr(properties, "PayloadFormatIndicator", None) != 1),
                ("expiry", hasattr(properties, "MessageExpiryInterval")),
            )
            if is_wrong
        ]
        if wrong:
            self.problems.append(f"{message.topic}: {event.id}: wrong {', '.join(wrong)}")
        self.problems += problems(message.topic, message.payload)

    def take(self, document: bytes, event: Event) -> None:
        """Store one event of an export, as if it had come over MQTT."""
        with self.changed:
            self._store(document, event)

    def _store(self, document: bytes, event: Event) -> None:
        key = (event.source, event.id)
        known = self._stored.get(key)
        if known is None:
            self._stored[key] = ReceivedEvent(document, event)
            self._order.append(key)
            self._advance(event)
            return
        self.repeats += 1
        if known.document != document and "event.undeliverable" not in (known.event.kind, event.kind):
            self.problems.append(f"{event.id}: two events under one id")
        if known.event.kind == "event.undeliverable" != event.kind:
            self._stored[key] = ReceivedEvent(document, event)

    def _advance(self, event: Event) -> None:
        journal = (event.source, event.journal)
        ids = self._ids.setdefault(journal, {})
        through = self._through.get(journal, 0)
        if event.number > through + 1:
            self.gaps += 1
        ids[event.number] = event.id
        while through + 1 in ids:
            through += 1
        self._through[journal] = through
        self._newest[event.source] = event.journal

    def restore(self, backup: list[ReceivedEvent]) -> None:
        """Replace the store by an older copy, as a consumer does that is restored from a backup."""
        with self.changed:
            self._forget()
            for stored in backup:
                self._store(*stored)
            self._acknowledge_all()
            self.changed.notify_all()

    # -- acknowledging -----------------------------------------------------------------------------------------

    @property
    def acknowledging(self) -> bool:
        return self._acknowledging

    @acknowledging.setter
    def acknowledging(self, value: bool) -> None:
        with self.changed:
            self._acknowledging = value
            self._acknowledge_all()

    def _acknowledge_all(self) -> None:
        for source in self._newest:
            self._acknowledge(source)

    def _acknowledge(self, source: str) -> None:
        journal = self._newest[source]
        through = self._through[(source, journal)]
        if self._acknowledging and self.is_connected and through:
            event_id = self._ids[(source, journal)][through]
            ack = {"journal": journal, "through": f"{through:012d}", "id": event_id}
            topic = f"kiosk/v1/{self.site}/agent/{source.rsplit('/', 1)[1]}/ack"
            payload = json.dumps(ack)
            self.problems += problems(topic, payload)
            self.post(topic, payload, retain=True)

    # -- reading the store -------------------------------------------------------------------------------------

    def stored(self) -> list[ReceivedEvent]:
        """Return all events, in the order in which they first came."""
        with self.changed:
            return [self._stored[key] for key in self._order]

    def mark(self) -> int:
        """Return the present end of the store, for `since` and `wait`."""
        with self.changed:
            return len(self._order)

    def since(self, mark: int = 0, *kinds: str) -> list[Event]:
        """Return the events stored after `mark`, of these kinds or of all."""
        with self.changed:
            events = [self._stored[key].event for key in self._order[mark:]]
        return [event for event in events if not kinds or event.kind in kinds]

    def wait(
        self,
        kind: str,
        *,
        since: int = 0,
        where: Callable[[Event], bool] = lambda _: True,
        deadline_s: float = DEADLINE_S,
    ) -> Event:
        """Wait for the first event of a kind after a mark, and return it."""
        found: list[Event] = []

        def came() -> bool:
            found[:] = [event for event in self.since(since, kind) if where(event)][:1]
            return bool(found)

        self.wait_until(came, f"the event {kind}", deadline_s=deadline_s)
        return found[0]

    def through(self, source: str) -> tuple[str, int]:
        """Return (journal id, sequence) up to which everything of a kiosk is stored; ("", 0) before its first event."""
        with self.changed:
            journal = self._newest.get(source, "")
            return journal, self._through.get((source, journal), 0)

    def state(self) -> str:
        return f"the newest events are {[event.kind for event in self.since()][-20:]}; problems: {self.problems}"

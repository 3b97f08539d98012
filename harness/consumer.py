"""The central consumer: stores each event once, tells the kiosks how far it has come, and notices whatever is wrong."""

import json
import threading
from collections.abc import Callable
from typing import NamedTuple

from paho.mqtt.client import MQTTMessage
from pydantic import ValidationError

from harness.broker import Broker
from harness.client import Connection
from harness.models import Event, category, event_of
from harness.waiting import DEADLINE_S

__all__ = ["Consumer", "Stored"]


class Stored(NamedTuple):
    """One event as it came: the document's bytes, and what they say."""

    document: bytes
    event: Event


Key = tuple[str, str]
JournalKey = tuple[str, str]


class Consumer(Connection):
    """Subscribes to all kiosks' events of a site and acknowledges what it has without a gap, per journal.

    `problems` has a line for each broken promise: a message that is no valid event, on the wrong topic, retained,
    without its MQTT properties, or two different events under one id. `gaps` counts events that came before one of
    a lower sequence; `repeats` those that came again.
    """

    def __init__(
        self, broker: Broker, *, site: str = "rtm1", acknowledging: bool = True, user: str | None = None
    ) -> None:
        super().__init__(broker, user=user)
        self.site = site
        self.acknowledging = acknowledging
        self.problems: list[str] = []
        self.gaps = 0
        self.repeats = 0
        self._stored: dict[Key, Stored] = {}
        self._order: list[Key] = []
        self._ids: dict[JournalKey, dict[int, str]] = {}
        self._through: dict[JournalKey, int] = {}
        self._newest: dict[str, str] = {}
        self._unsaid: set[str] = set()
        self._over = False
        self._speaker = threading.Thread(target=self._speak, name="consumer-ack", daemon=True)

    def topics(self) -> list[str]:
        return [f"kiosk/v1/{self.site}/agent/+/event/#"]

    def start(self) -> None:
        super().start()
        self._speaker.start()

    def leave(self) -> None:
        """Be away: what is published now is not seen. Its store stays as it is."""
        super().stop()

    def come_back(self) -> None:
        super().start()

    def stop(self) -> None:
        with self.changed:
            self._over = True
            self.changed.notify_all()
        self._speaker.join(DEADLINE_S)
        super().stop()

    def connected(self) -> None:
        # A broker may have lost what it retained: tell it anew.
        self._unsaid.update(self._newest)

    # -- taking events in --------------------------------------------------------------------------------------

    def arrived(self, message: MQTTMessage) -> None:
        document = bytes(message.payload)
        try:
            event = event_of(document)
        except ValidationError as wrong:
            self.problems.append(f"{message.topic}: {document[:600]!r}: {wrong}")
            return
        self._look_at(message, event)
        self.take(document, event)

    def _look_at(self, message: MQTTMessage, event: Event) -> None:
        properties = message.properties
        content_type = getattr(properties, "ContentType", None)
        is_text = getattr(properties, "PayloadFormatIndicator", None)
        expected = (
            f"kiosk/v1{event.source.removeprefix('/kiosk').rsplit('/', 1)[0]}/agent/{event.source.rsplit('/', 1)[1]}"
        )
        wrong = [
            what
            for what, is_wrong in (
                ("topic", message.topic != f"{expected}/event/{category(event)}"),
                ("retained", message.retain),
                ("qos", message.qos != 1),
                ("size", len(message.payload) > 65536),
                ("content type", content_type != "application/cloudevents+json"),
                ("payload format", is_text != 1),
                ("expiry", hasattr(properties, "MessageExpiryInterval")),
            )
            if is_wrong
        ]
        if wrong:
            self.problems.append(f"{message.topic}: {event.id}: wrong {', '.join(wrong)}")

    def take(self, document: bytes, event: Event) -> None:
        """Store one event, from MQTT or from an export."""
        key = (event.source, event.id)
        known = self._stored.get(key)
        if known is not None:
            self.repeats += 1
            if known.document != document and "event.undeliverable" not in (known.event.kind, event.kind):
                self.problems.append(f"{event.id}: two events under one id")
            if known.event.kind == "event.undeliverable" != event.kind:
                self._stored[key] = Stored(document, event)
            return
        self._stored[key] = Stored(document, event)
        self._order.append(key)
        self._advance(event)

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
        self._unsaid.add(event.source)

    # -- acknowledging -----------------------------------------------------------------------------------------

    def ack_topic(self, source: str) -> str:
        return f"kiosk/v1/{self.site}/agent/{source.rsplit('/', 1)[1]}/ack"

    def _ack(self, source: str) -> str | None:
        journal = self._newest[source]
        through = self._through[(source, journal)]
        if through == 0:
            return None
        return json.dumps(
            {"journal": journal, "through": f"{through:012d}", "id": self._ids[(source, journal)][through]}
        )

    def _speak(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(
                    lambda: self._over or bool(self._unsaid and self.acknowledging and self.is_connected)
                )
                if self._over:
                    return
                acks = {self.ack_topic(source): self._ack(source) for source in self._unsaid}
                self._unsaid.clear()
            for topic, ack in acks.items():
                if ack is not None:
                    self._client.publish(topic, ack, qos=1, retain=True)

    def backup(self) -> list[Stored]:
        """All that is stored by now."""
        return self.stored()

    def restore(self, backup: list[Stored]) -> None:
        """Go on with the store as it was, and say so in the acks."""
        with self.changed:
            self._stored, self._order, self._ids, self._through, self._newest = {}, [], {}, {}, {}
            for document, event in backup:
                self.take(document, event)
            self.changed.notify_all()

    # -- looking at them ---------------------------------------------------------------------------------------

    def stored(self) -> list[Stored]:
        """All events in the order in which they first came."""
        with self.changed:
            return [self._stored[key] for key in self._order]

    def mark(self) -> int:
        """A place in the stream; `since` and `wait` look behind it."""
        with self.changed:
            return len(self._order)

    def since(self, mark: int = 0, *kinds: str) -> list[Event]:
        """The events that came after `mark`, of some kinds or of all."""
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
        """The first event of a kind after a mark, waited for."""
        found: list[Event] = []

        def there() -> bool:
            found[:] = [event for event in self.since(since, kind) if where(event)][:1]
            return bool(found)

        with self.changed:
            assert self.changed.wait_for(there, deadline_s), (
                f"no {kind} came; but {[event.kind for event in self.since(since)]}; {self.problems}"
            )
        return found[0]

    def wait_until(self, condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
        """Wait for a condition that only arriving events can make true."""
        with self.changed:
            assert self.changed.wait_for(condition, deadline_s), f"waited in vain for {what}; {self.problems}"

    def through(self, source: str) -> tuple[str, int]:
        """(journal, sequence) up to which everything of a kiosk is stored; ("", 0) at first."""
        with self.changed:
            journal = self._newest.get(source, "")
            return journal, self._through.get((source, journal), 0)

"""A broker that is out to harm: the second of a kiosk's `hosts`, which the kiosk meets when the first one is killed."""

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any

from harness.mqtt_packets import (
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBLISH,
    SUBSCRIBE,
    Packet,
    encode,
    encode_text,
    suback,
)
from harness.played_broker import PlayedConnection, ScriptedBroker
from harness.waiting import DEADLINE_S, wait_for
from harness.world import World, world_of
from tests.system.attack.attacking import attacked
from tests.system.attack.bounds import Bounds

__all__ = ["HostileConnection", "Play", "Siege", "raw_publish", "sieging"]


class HostileConnection(PlayedConnection):
    """The hostile end of one connection. A thread answers what the kiosk sends, while the play sends what it likes.

    `closed` is set once the kiosk has closed the connection.
    """

    def __init__(self, stream: socket, root: str, agent: str, journal: str) -> None:
        super().__init__(stream, timeout_s=2 * DEADLINE_S)
        self.root = root
        self.agent = agent
        self.journal = journal
        self.closed = threading.Event()
        self.acknowledged: set[int] = set()
        """The packet identifiers that the kiosk has acknowledged."""
        self.responses: set[str] = set()
        self.last_event: dict[str, Any] | None = None
        self.is_answering_publishes = True
        self._sending = threading.Lock()
        self._changed = threading.Condition()

    def send_raw(self, data: bytes) -> None:
        with self._sending:
            self.stream.sendall(data)

    # -- being a good broker, until it is time to be another ---------------------------------------------------------

    def greet(
        self, *, properties: bytes = b"", subscribed: Callable[[int], bytes] = lambda count: bytes((1,)) * count
    ) -> None:
        """Accept the connection, and answer everything from now on, in a thread."""
        self.expect(CONNECT)
        self.connack(properties=properties)
        threading.Thread(target=self._answer_all, args=(subscribed,), name="hostile-peer", daemon=True).start()

    def _answer_all(self, subscribed: Callable[[int], bytes]) -> None:
        with suppress(OSError):
            while True:
                self._answer(self.read(), subscribed)
        self.closed.set()
        with self._changed:
            self._changed.notify_all()

    def _answer(self, packet: Packet, subscribed: Callable[[int], bytes]) -> None:
        match packet.kind:
            case kind if kind == PUBLISH and self.is_answering_publishes:
                self.puback(packet)
                what = packet.topic.removeprefix(f"{self.agent}/")
                if what.startswith("event/"):
                    self.last_event = json.loads(packet.payload)
                elif what.startswith("response/"):
                    self.responses.add(what.removeprefix("response/"))
            case kind if kind == SUBSCRIBE:
                self.send_raw(suback(packet.identifier, subscribed(len(packet.filters))))
            case kind if kind == PINGREQ:
                self.send(PINGRESP)
            case kind if kind == PUBACK:
                self.acknowledged.add(int.from_bytes(packet.body[:2]))
            case kind if kind == DISCONNECT:
                raise ConnectionAbortedError
        with self._changed:
            self._changed.notify_all()

    def wait(self, condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
        with self._changed:
            met = self._changed.wait_for(lambda: condition() or self.closed.is_set(), deadline_s)
        assert met, f"the hostile broker waited for {what}"
        assert condition(), f"the kiosk has closed the connection before {what}"

    def wait_event(self) -> None:
        """Return once the kiosk has delivered an event to this broker."""
        self.wait(lambda: self.last_event is not None, "an event")

    def wait_closed(self) -> None:
        assert self.closed.wait(5), "the kiosk stays connected"

    def settle(self) -> None:
        """Return once the kiosk has taken everything that was sent so far."""
        asked: set[str] = set()
        end = time.monotonic() + 60
        while not asked & self.responses:
            assert time.monotonic() < end, "no answer to a request"
            asked.add(transaction := uuid.uuid4().hex)  # one that comes in a flood may be dropped
            self.tell("request/health", {"transaction": transaction})
            with suppress(AssertionError):
                self.wait(lambda: bool(asked & self.responses), "the answer to a request", deadline_s=2)
            assert not self.closed.is_set(), "the kiosk has closed the connection"

    # -- publishing --------------------------------------------------------------------------------------------------

    def tell(self, what: str, content: object, *, retain: bool = False) -> None:
        """Publish to this kiosk's own topics at QoS 0."""
        self.tell_at(f"{self.agent}/{what}", content, retain=retain)

    def tell_at(self, topic: str, content: object, *, qos: int = 0, identifier: int = 1, retain: bool = False) -> None:
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        marks = identifier.to_bytes(2) if qos else b""
        self.send(PUBLISH, encode_text(topic) + marks + b"\0" + payload, flags=qos << 1 | int(retain))


Play = Callable[[HostileConnection], None]
"""What the hostile broker does with one connection."""


class Siege:
    """A world whose daemon knows two brokers: the real one, and a hostile one that plays `plays`, one a connection."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plays: deque[Play] = deque()
        self.ended = 0
        self.problems: list[str] = []

    def script(self, link: PlayedConnection, _broker: ScriptedBroker) -> None:
        if not self.plays:
            return
        play = self.plays.popleft()
        journal = self.world.centre.statuses[-1].journal or ""
        try:
            play(HostileConnection(link.stream, self.world.centre.root, self.world.centre.agent, journal))
        except AssertionError as problem:
            self.problems.append(f"{play.__name__}: {problem}")
        finally:
            # Closing alone would leave the connection open while the thread that answers still reads from it.
            with suppress(OSError):
                link.stream.shutdown(SHUT_RDWR)
            self.ended += 1

    def attack(self, name: str, *plays: Play, bounds: Bounds | None = None, deadline_s: float = 60) -> None:
        """Kill the real broker, have the kiosk meet the plays, and start the real broker again."""
        self.ended, count = 0, len(plays)
        self.problems = []
        self.plays.extend(plays)
        with attacked(self.world, name, bounds):
            statuses = len(self.world.centre.statuses)
            self.world.broker.kill()
            try:
                wait_for(lambda: self.ended == count, f"{count} connections", deadline_s=deadline_s)
            finally:
                self.plays.clear()
                self.world.broker.start()
                self.world.centre.wait_status("online", after=statuses, deadline_s=60)
            assert not self.problems, self.problems


@contextmanager
def sieging(directory: Path, *, confirm: str = "broker") -> Iterator[Siege]:
    """Make a siege whose world is started.

    By default the broker confirms events: the hostile one takes them, and they are gone. With `confirm` "consumer"
    they would wait for the real one.
    """
    uplink = {"ack_timeout_s": 1, "confirm": confirm}
    with world_of(directory, stations=("1", "2"), started=False, uplink=uplink) as world:
        siege = Siege(world)
        with ScriptedBroker(siege.script) as hostile:
            del world.kiosk.settings["mqtt"]["host"]
            world.kiosk.settings["mqtt"]["hosts"] = [f"127.0.0.1:{world.broker.port}", hostile.host]
            world.kiosk.configure()
            world.start()
            yield siege
            assert world.kiosk.stop() == 0


def raw_publish(topic: bytes, payload: bytes, *, flags: int = 0, properties: bytes = b"\0") -> bytes:
    """Return a PUBLISH with what a broker must never send in it."""
    return encode(PUBLISH, encode_text(topic) + properties + payload, flags=flags)

"""Short connections for commands: try the broker, leave a last status, clear the retained topics.

Each uses a client id of its own, so that it never takes over the session of a running kiosk.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.contract.kiosk_status import status_document
from agent.contract.topics import Topics
from agent.runtime.clock import SystemClock
from agent.uplink.failures import BrokerLost, BrokerRefused
from agent.uplink.packets import PubAck, SubAck
from agent.uplink.uplink_settings import BrokerSettings, Confirm, DeliverySettings

if TYPE_CHECKING:
    from agent.uplink.client import Client

__all__ = ["BROKER_CONFIRMS", "publish_status_once", "retire", "try_connect"]

TIMEOUT_S = 10.0
SMALLEST_MAXIMUM_PACKET = 64 * 1024
"""In bytes: an event may be that large (`mqtt.md#event-documents`)."""
FAILURE = 0x80
QUIET_S = 1.0
"""How long to wait for another retained message after the last one."""

BROKER_CONFIRMS = (
    'with uplink.confirm = "broker" an event counts as delivered when the broker has accepted it: give the consumer a '
    "persistent session (clean start off, a session expiry of weeks, QoS 1), and let the broker queue for it without "
    "limit, on disk, written before it answers (Mosquitto: persistence true, autosave_on_changes true, "
    "autosave_interval 1, max_queued_messages 0, max_queued_bytes 0)"
)


def _wait(client: "Client", done: Callable[[], bool], until: float) -> bool:
    """Poll until `done` returns True. Return False if it has not by the monotonic time `until`. Raises BrokerLost."""
    while not done():
        left_s = until - time.monotonic()
        if left_s <= 0:
            return False
        client.poll(left_s)
    return True


def _open(client: "Client", host: str, port: int, timeout_s: float) -> None:
    client.connect(host, port, timeout_s=timeout_s)
    if not _wait(client, lambda: client.connack is not None, time.monotonic() + timeout_s):
        raise BrokerLost("the broker accepts the connection and does not answer; is it an MQTT broker?")


@contextmanager
def _connected(
    broker: BrokerSettings, topics: Topics, purpose: str, timeout_s: float
) -> Iterator[tuple["Client", str]]:
    """Connect to the first broker address that works; yield the client and that address.

    Raises BrokerLost, which names every address that does not work.
    """
    from agent.uplink.client import Client  # paho costs start-up time

    failures = []
    for host, port in broker.hosts:
        # A random part, so that two commands at once do not take over each other's session.
        client = Client(broker, client_id=f"{topics.client_id}-{purpose}-{random.getrandbits(24):06x}")
        try:
            _open(client, host, port, timeout_s)
        except BrokerLost as exc:
            client.drop()
            failures.append(f"{host}:{port}: {exc}")
            continue
        try:
            yield client, f"{host}:{port}"
            client.close()
        finally:
            client.drop()
        return
    raise BrokerLost("; ".join(failures))


def _publish(client: "Client", topic: str, payload: bytes, until: float) -> None:
    """Publish a retained message and wait for the answer. Raises BrokerLost, also if the broker refuses it."""
    token = client.publish(topic, payload, retain=True)
    answers: dict[int, PubAck] = {}

    def answered() -> bool:
        answers.update((answer.token, answer) for answer in client.pubacks())
        return token in answers

    if not _wait(client, answered, until):
        raise BrokerLost("the broker does not acknowledge what is published")
    if answers[token].code >= FAILURE:
        raise BrokerRefused(f"the broker refuses {topic}: {answers[token].reason}; check this kiosk's rights there")


def publish_status_once(
    broker: BrokerSettings,
    *,
    site: str,
    kiosk: str,
    version: str,
    reason: str,
    connection: int,
    state: str = "failed",
    timeout_s: float = TIMEOUT_S,
) -> None:
    """Publish a last retained status before the process ends. Raises BrokerLost. (`commands.md#failure-at-start`)"""
    topics = Topics(site, kiosk)
    document = status_document(
        state=state,
        reason=reason,
        version=version,
        journal=None,
        since=SystemClock().utc_text(),
        connection=connection,
    )
    with _connected(broker, topics, "status", timeout_s) as (client, _):
        _publish(client, topics.status, document, time.monotonic() + timeout_s)


def retire(
    broker: BrokerSettings, *, site: str, kiosk: str, stations: Sequence[str], timeout_s: float = TIMEOUT_S
) -> tuple[str, ...]:
    """Clear this kiosk's retained topics; return them. Raises BrokerLost. (`commands.md#retire`)

    These are `status`, `health`, the views of the given stations, and of any other station that the broker lets the
    kiosk read.
    """
    topics = Topics(site, kiosk)
    with _connected(broker, topics, "retire", timeout_s) as (client, _):
        found = _retained(client, topics.stations, time.monotonic() + timeout_s)
        known = (topics.status, topics.view("health"), *(topics.view(f"station/{one}") for one in stations))
        cleared = tuple(dict.fromkeys((*known, *found)))
        for topic in cleared:
            _publish(client, topic, b"", time.monotonic() + timeout_s)
    return cleared


def _retained(client: "Client", topic_filter: str, until: float) -> list[str]:
    """Return the topics under a filter that hold a retained message, of those that the broker lets the kiosk read."""
    client.subscribe([topic_filter])
    if not _wait(client, lambda: bool(client.subacks()), until):
        return []
    found: list[str] = []

    def more() -> bool:
        came = [message.topic for message in client.messages() if message.retained]
        found.extend(came)
        return bool(came)

    while _wait(client, more, min(until, time.monotonic() + QUIET_S)):
        pass
    return found


def _receive_maximum(allowed: int, wanted: int) -> str:
    slower = f", so that fewer events than max_inflight = {wanted} are in flight" if allowed < wanted else ""
    return f"Receive Maximum {allowed}{slower}"


def try_connect(
    broker: BrokerSettings, delivery: DeliverySettings, *, site: str, kiosk: str, timeout_s: float = TIMEOUT_S
) -> str:
    """Connect, subscribe to all that a kiosk needs, and return one line about it. (`commands.md#check`)

    Raises BrokerLost.
    """
    topics = Topics(site, kiosk)
    with _connected(broker, topics, "check", timeout_s) as (client, where):
        client.subscribe(topics.subscriptions)
        came: list[SubAck] = []
        limits = client.connack

        def answered() -> bool:
            came.extend(client.subacks())
            return bool(came)

        if not _wait(client, answered, time.monotonic() + timeout_s):
            raise BrokerLost(f"{where}: the broker does not answer a subscription")
        refused = [one for one, why in zip(topics.subscriptions, came[0].refused, strict=False) if why]
        if refused:
            raise BrokerRefused(
                f"{where}: connected, but this kiosk may not read {', '.join(refused)}; check its rights there"
            )
        if 0 in came[0].granted:
            raise BrokerRefused(f"{where}: the broker grants QoS 0 only, so messages can be lost; allow QoS 1 there")
        if limits and (largest := limits.maximum_packet_bytes) is not None and largest < SMALLEST_MAXIMUM_PACKET:
            raise BrokerRefused(
                f"{where}: the broker's Maximum Packet Size is {largest} bytes, and an event may have "
                f"{SMALLEST_MAXIMUM_PACKET}; raise it there (Mosquitto: max_packet_size)"
            )
        parts = [f"{where}: connected, MQTT {'5' if broker.protocol == 5 else '3.1.1'}"]
        expires = client.server_certificate_expires()
        if not broker.tls:
            parts.append("NOT encrypted (mqtt.tls is false)")
        elif expires:
            parts.append(f"its certificate expires {expires:%Y-%m-%d}")
        if limits and broker.protocol == 5:
            largest = limits.maximum_packet_bytes
            parts.append(f"Maximum Packet Size {'without limit' if largest is None else f'{largest} bytes'}")
            parts.append(_receive_maximum(limits.receive_maximum, delivery.max_inflight))
        if delivery.confirm is Confirm.BROKER:
            parts.append(BROKER_CONFIRMS)
    return "; ".join(parts)

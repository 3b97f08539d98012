"""paho without a thread, a socket and a queue of its own. It never sees a message: `PacketSocket` decodes those."""

import struct
import time
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.exception import MQTTException
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from centre.link.packet_socket import PacketSocket

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

__all__ = ["GARBAGE", "LoopPaho", "granted_by", "in_words", "refusal"]

GARBAGE = (MQTTException, struct.error, IndexError, KeyError, ValueError)
"""What paho raises when it decodes garbage. Callbacks must raise none of these."""


class LoopPaho(Client):
    """paho on a socket that is handed in, for one connection.

    Three of its private names are used: it has no public way to do this.
    """

    handed_in: PacketSocket

    def __init__(self, client_id: str, *, is_v5: bool) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            # With MQTT 5, paho does a clean start on a client's first connection by default.
            clean_session=None if is_v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self.max_inflight_messages_set(0)  # no limit: the link limits what is in flight
        self.max_queued_messages_set(0)

    def _create_socket(self) -> "SocketLike":
        return self.handed_in

    def heard(self) -> None:
        """Note that bytes were received: a payload being dropped, or a pause of ours, is no silence of the broker."""
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        self._ping_t = 0.0


def granted_by(properties: Properties | None) -> dict[str, Any]:
    """Return the properties of a CONNACK or DISCONNECT by their names."""
    return properties.json() if properties else {}


def in_words(reason: ReasonCode, granted: dict[str, Any]) -> str:
    """Return what a reason code means, with what the broker adds to it."""
    said = granted.get("ReasonString")
    return reason.getName() if said is None else f"{reason.getName()} ({str(said)[:200]!r})"


def refusal(reason: ReasonCode, granted: dict[str, Any]) -> str | None:
    """Return why the connection that a CONNACK offers is of no use; None if it is."""
    if reason.is_failure:
        return f"the broker refuses the connection: {in_words(reason, granted)}"
    if granted.get("MaximumQoS", 2) < 1:
        return "the broker does not support QoS 1"
    if not granted.get("RetainAvailable", 1):
        return "the broker does not support retained messages"
    return None

"""What passes between the MQTT client and its users, without types of paho."""

from msgspec import Struct

__all__ = ["ConnAck", "PubAck", "ReceivedMessage", "SubAck", "Will"]


class Will(Struct, frozen=True, kw_only=True):
    """The message that the broker publishes, retained, when the connection is lost."""

    topic: str
    payload: bytes


class ConnAck(Struct, frozen=True, kw_only=True):
    """The limits in the broker's CONNACK. `maximum_packet_bytes` is None if there is no limit."""

    receive_maximum: int
    maximum_packet_bytes: int | None


class PubAck(Struct, frozen=True):
    """The answer to the publish `token`. `code` is the MQTT 5 reason code (0 under 3.1.1), `reason` its name."""

    token: int
    code: int
    reason: str


class SubAck(Struct, frozen=True):
    """The answer to the subscription `token`: for each filter None, or why it was refused.

    `granted` has the code of each filter, the QoS of one that was not refused.
    """

    token: int
    refused: tuple[str | None, ...]
    granted: tuple[int, ...] = ()


class ReceivedMessage(Struct, frozen=True):
    """A message from the broker. One whose topic is not UTF-8 never gets here.

    `discarded_bytes` is the size of a payload that was too large and was discarded; `payload` is then empty.
    """

    topic: str
    payload: bytes
    retained: bool
    discarded_bytes: int = 0

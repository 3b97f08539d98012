"""What passes between the client and those who use it, in the field's terms: no paho types."""

from msgspec import Struct

__all__ = ["ConnAck", "PubAck", "ReceivedMessage", "SubAck", "Will"]


class Will(Struct, frozen=True, kw_only=True):
    """What the broker publishes, retained, when the connection is lost."""

    topic: str
    payload: bytes


class ConnAck(Struct, frozen=True, kw_only=True):
    """What the broker grants in its CONNACK; `maximum_packet_bytes` is none where it sets no limit."""

    receive_maximum: int
    maximum_packet_bytes: int | None


class PubAck(Struct, frozen=True):
    """A PUBACK: `token` names the publish; `code` is the MQTT 5 reason code, 0 under 3.1.1; `reason` its name."""

    token: int
    code: int
    reason: str


class SubAck(Struct, frozen=True):
    """A SUBACK: for each filter asked for, none or why it was refused."""

    token: int
    refused: tuple[str | None, ...]


class ReceivedMessage(Struct, frozen=True):
    """A message from the broker; one whose topic is not UTF-8 is dropped before this."""

    topic: str
    payload: bytes
    retained: bool

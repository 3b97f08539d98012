"""What passes between the client and those who use it, in the field's terms: no paho types."""

from dataclasses import dataclass

__all__ = ["Answer", "Offer", "Received", "Subscribed", "Will"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes, retained, when the connection is lost."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the broker grants in its CONNACK; `maximum_packet_bytes` is none where it sets no limit."""

    receive_maximum: int
    maximum_packet_bytes: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A PUBACK: `token` names the publish; `code` is the MQTT 5 reason code, 0 under 3.1.1; `reason` its name."""

    token: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A SUBACK: for each filter asked for, none or why it was refused."""

    token: int
    refused: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker; one whose topic is not UTF-8 is dropped before this."""

    topic: str
    payload: bytes
    retained: bool

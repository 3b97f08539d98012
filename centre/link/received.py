"""A message that a broker has sent, as it is handed to the rest of the centre."""

from typing import NamedTuple

__all__ = ["LARGEST_PAYLOAD", "Received"]

LARGEST_PAYLOAD = 256 * 1024
"""In bytes: the largest payload that any message of the contract may have (`mqtt.md#refused-messages`)."""


class Received(NamedTuple):
    """One message. Its topic is valid UTF-8; its payload is unchecked.

    A payload over `LARGEST_PAYLOAD` is cut to one byte more than that, so that its reader refuses it for its size.
    """

    broker: str
    """`host:port`"""
    topic: str
    payload: bytes
    retained: bool
    """Whether the broker had retained it, so that its age is unknown."""
    received_at: str
    """By the centre's clock, as `centre.moments.moment` writes it."""

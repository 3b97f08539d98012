"""How to reach one broker, and the waiting times and bounds of its connection."""

from pathlib import Path
from typing import Protocol

from msgspec import Struct

__all__ = ["BrokerAddress", "LinkTiming", "QueueBounds"]


class BrokerAddress(Protocol):
    """The settings of one broker, as `centre.configuration` reads them. `protocol` is 5 or 311."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def protocol(self) -> int: ...
    @property
    def username(self) -> str | None: ...
    @property
    def password_file(self) -> Path | None: ...
    @property
    def tls(self) -> bool: ...
    @property
    def ca_file(self) -> Path | None: ...
    @property
    def cert_file(self) -> Path | None: ...
    @property
    def key_file(self) -> Path | None: ...
    @property
    def keepalive_s(self) -> int: ...


class LinkTiming(Struct, frozen=True, kw_only=True):
    """Waiting times in seconds; handed in so that tests can use short ones."""

    connect_s: float = 10.0
    """For each step of connecting: TCP and TLS handshake together, then the broker's CONNACK."""
    backoff_s: float = 1.0
    backoff_max_s: float = 30.0
    """Between connections: a random time up to `backoff_s`, doubling to up to `backoff_max_s`."""
    stable_s: float = 60.0
    """A connection that lasts this long resets the back-off."""
    unanswered_s: float = 60.0
    """A broker that leaves a publish or a subscription unanswered for this long is disconnected."""
    resubscribe_s: float = 1.0
    resubscribe_max_s: float = 60.0
    """A refused subscription is tried again after `resubscribe_s`, doubling to `resubscribe_max_s`."""
    tick_s: float = 1.0
    """How often to look at keep-alive and unanswered publishes."""


class QueueBounds(Struct, frozen=True, kw_only=True):
    """How much may be received and not yet taken before the socket is no longer read."""

    messages: int = 10_000
    payload_bytes: int = 32 * 1024 * 1024

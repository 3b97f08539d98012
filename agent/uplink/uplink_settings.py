"""What the uplink is told: the broker, how delivery is confirmed, and its waiting times."""

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

__all__ = ["BrokerSettings", "Confirm", "DeliverySettings", "Timing"]


class Confirm(StrEnum):
    """Who says that an event is delivered."""

    CONSUMER = "consumer"
    BROKER = "broker"


class BrokerSettings(Struct, frozen=True, kw_only=True):
    """How to reach the broker. `hosts` are (host, port), tried in turn; `protocol` is 5 or 311.

    With `tls` the server is always verified, against `ca_file` or, without one, the system's authorities.
    """

    hosts: tuple[tuple[str, int], ...]
    protocol: int = 5
    username: str | None = None
    password: str | None = None
    tls: bool = True
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 30

    def __repr__(self) -> str:
        return f"BrokerSettings(hosts={self.hosts!r}, ...)"  # a password is in no log


class DeliverySettings(Struct, frozen=True, kw_only=True):
    """`max_inflight`: events published and not yet taken by the broker; `ack_timeout_s`: see `Outbox`."""

    confirm: Confirm = Confirm.CONSUMER
    max_inflight: int = 100
    ack_timeout_s: float = 60.0


class Timing(Struct, frozen=True, kw_only=True):
    """The contract's waiting times in seconds; handed in so that tests need not wait for them."""

    ack_wait_s: float = 2.0
    """After a connect, for the retained ack, before the first event goes out."""
    resend_max_s: float = 900.0
    retry_s: float = 1.0
    retry_max_s: float = 60.0
    """A refused event is tried again after `retry_s`, doubling to `retry_max_s`."""
    no_consumer_max_s: float = 30.0
    backoff_s: float = 1.0
    backoff_max_s: float = 30.0
    """Between connections: anything up to `backoff_s`, doubling to anything up to `backoff_max_s`."""
    stable_s: float = 60.0
    """A connection that lasts so long resets the back-off."""
    duplicate_wait_s: float = 300.0
    """How long to stay away after another client took over our session."""
    connect_timeout_s: float = 10.0
    """For each step to a connection: the TCP and TLS handshakes together, and the broker's CONNACK."""
    stall_s: float = 60.0
    """A broker that leaves publishes unanswered for so long is as good as gone."""
    poll_s: float = 5.0
    """How long to wait for the socket at most, so that keep-alives are sent."""
    view_interval_s: float = 0.2
    view_patience_s: float = 2.0
    """RetainedViews go behind events, but after this long they go between them."""
    fetch_timeout_s: float = 10.0
    rollback_repeat_s: float = 60.0
    """How often to say again that the journal is an old copy, until it goes on under a new id."""
    source_retry_s: float = 5.0
    """After the journal could not be read."""

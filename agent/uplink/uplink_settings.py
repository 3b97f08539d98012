"""The uplink's settings: the broker, how delivery is confirmed, and the waiting times of the contract."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

__all__ = ["BrokerSettings", "Confirm", "DeliverySettings", "Timing"]


class Confirm(StrEnum):
    """Who confirms that an event is delivered. (`settings.md#uplink`)"""

    CONSUMER = "consumer"
    BROKER = "broker"


class BrokerSettings(Struct, frozen=True, kw_only=True):
    """How to reach the broker. `hosts` are (host, port), tried in turn; `protocol` is 5 or 311.

    With `tls` the broker's certificate is always verified, against `ca_file` or the system's authorities. Before each
    connect the files are read, and `read_password` is called if there is one: it returns the password in place of
    `password`, and raises OSError or ValueError if it cannot. (`settings.md#broker`, `settings.md#renewed-secrets`)
    """

    hosts: tuple[tuple[str, int], ...]
    protocol: int = 5
    username: str | None = None
    password: str | None = None
    read_password: Callable[[], str | None] | None = None
    tls: bool = True
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 30

    def __repr__(self) -> str:
        return f"BrokerSettings(hosts={self.hosts!r}, ...)"  # never shows the password


class DeliverySettings(Struct, frozen=True, kw_only=True):
    """`max_inflight` limits the events that are published and not yet answered by the broker.

    Events that no ack covers are published again after `ack_timeout_s`. (`settings.md#uplink`)
    """

    confirm: Confirm = Confirm.CONSUMER
    max_inflight: int = 100
    ack_timeout_s: float = 60.0


class Timing(Struct, frozen=True, kw_only=True):
    """The waiting times of the contract, in seconds; handed in so that tests can use short ones."""

    ack_wait_s: float = 2.0
    """How long to wait for the retained ack after a connect, before the first event is published."""
    resend_max_s: float = 900.0
    retry_s: float = 1.0
    retry_max_s: float = 60.0
    """A refused event is retried after `retry_s`, doubling to `retry_max_s`."""
    no_consumer_max_s: float = 30.0
    backoff_s: float = 1.0
    backoff_max_s: float = 30.0
    """Between connections: a random time up to `backoff_s`, doubling to up to `backoff_max_s`."""
    stable_s: float = 60.0
    """A connection that lasts this long resets the back-off."""
    duplicate_wait_s: float = 300.0
    """How long to wait after another client took over our session."""
    connect_timeout_s: float = 10.0
    """For each step of connecting: TCP and TLS handshake together, then the broker's CONNACK."""
    stall_s: float = 60.0
    """A broker that leaves a publish or a subscription unanswered for this long is disconnected."""
    ack_refused_s: float = 60.0
    """A broker that refuses the subscription to `ack` for this long is left for the next one."""
    poll_s: float = 5.0
    """How long to wait for the socket at most, because keep-alives must be sent in time."""
    view_interval_s: float = 0.2
    view_patience_s: float = 2.0
    """Views wait for events, but at most this long."""
    fetch_timeout_s: float = 10.0
    rollback_repeat_s: float = 60.0
    """How often to report that the journal is an old copy, until it has a new id."""
    source_retry_s: float = 5.0
    """How long to wait after the journal could not be read."""

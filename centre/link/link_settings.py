"""The waiting times and the bounds of a connection to a broker."""

from msgspec import Struct

__all__ = ["LinkTiming", "QueueBounds", "RetainedTiming"]


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
    """How much may be received and not yet taken before the socket is no longer read.

    The broker's answers to our publishes come behind what is queued, so a longer queue would delay the acks.
    """

    messages: int = 2000
    bytes: int = 8 * 1024 * 1024
    """Of topics and payloads."""


class RetainedTiming(Struct, frozen=True, kw_only=True):
    """Waiting times, in seconds, of reading and writing what a broker retains."""

    quiet_s: float = 0.5
    """A broker has sent all that it retains when our marker came back and nothing else has come for this long."""
    marker_s: float = 5.0
    """How long to wait for the marker before another one is sent: a full queue of the broker drops it."""
    markers: int = 4
    """The most markers that are sent. After them silence is enough: perhaps the account may not read its markers."""
    survey_again_s: float = 600.0
    """A broker that retained more than the centre may hold is read again after this."""
    refused_again_s: float = 60.0
    """Publishes that the broker refuses are tried again after this."""
    database_s: float = 1.0
    database_max_s: float = 30.0
    """A database that is down is tried again after `database_s`, doubling to `database_max_s`."""
    live_s: float = 1.0
    """What other systems publish is taken in batches, at this interval at most."""

"""What the uplink reports in `health`."""

from datetime import datetime

from msgspec import Struct

__all__ = ["Situation", "UplinkHealth"]


class Situation(Struct, frozen=True, kw_only=True):
    """The part of the uplink's health that seldom changes. (`mqtt.md#health`)

    `connection` is the number of the newest connection, 0 before the first. `state` is a text for people, `host` the
    broker connected to, `error` the newest problem (None once it is over). `no_consumer`: the broker says that nobody
    subscribes to our events. `rolled_back`: the journal proved to be an old copy. The expiry times are None without TLS
    or if a certificate cannot be read.
    """

    online: bool = False
    connection: int = 0
    state: str = "not started"
    host: str | None = None
    error: str | None = None
    duplicate_id: bool = False
    no_consumer: bool = False
    rolled_back: bool = False
    last_refusal: str | None = None
    refused_subscriptions: tuple[str, ...] = ()
    server_certificate_expires: datetime | None = None
    client_certificate_expires: datetime | None = None


class UplinkHealth(Struct, frozen=True, kw_only=True):
    """The situation and the numbers.

    `sent` and `acked` are positions; `last_sequence` and `acked_sequence` count within the present journal id.
    `backlog` counts undelivered events, `refused` the events that the broker refuses at present, `refusals` all its
    refusals so far.
    """

    situation: Situation
    backlog: int
    sent: int
    acked: int
    last_sequence: int
    acked_sequence: int
    refused: int
    refusals: int

    @property
    def online(self) -> bool:
        """Whether there is a connection to the broker."""
        return self.situation.online

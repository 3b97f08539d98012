"""What the uplink says of itself."""

from datetime import datetime

from msgspec import Struct

__all__ = ["Situation", "UplinkHealth"]


class Situation(Struct, frozen=True, kw_only=True):
    """The part of the uplink's health that changes seldom.

    `state` is in words; `host` the broker connected to; `error` the newest trouble, none once it is over.
    `no_consumer`: the broker says that nobody subscribes to our events. `rolled_back`: the journal turned out to be
    an old copy. Certificates are None without TLS, or where they cannot be read.
    """

    online: bool = False
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
    """`situation`, and the numbers: `sent` and `acked` are positions, `last_sequence` and `acked_sequence` of the
    present journal id; `backlog` counts undelivered events, `refused` those that the broker refuses now,
    `refusals` its refusals so far.
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
        return self.situation.online

"""What the web room works with. The composition root hands in the real things, tests hand in fakes."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from centre.changes import Changes
from centre.configuration.centre_settings import CentreSettings
from centre.moments import Now, utc_now
from centre.store.database import Database

__all__ = ["BrokerStatus", "EventIntake", "RequestSender", "Services"]


class BrokerStatus(Protocol):
    """One broker's connection, as `centre.link` keeps it."""

    @property
    def name(self) -> str:
        """`host:port`"""

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites that it serves."""

    @property
    def is_connected(self) -> bool: ...


class EventIntake(Protocol):
    """What stores the events of the kiosks."""

    @property
    def ready(self) -> bool:
        """Whether events are being stored; False while the database is down."""

    async def retry_letter(self, id: int) -> bool:
        """Take a dead letter in again; return whether it was taken. Raise DatabaseDown."""


class RequestSender(Protocol):
    """Sends requests to kiosks (`mqtt.md#requests`)."""

    async def send(self, site: str, kiosk: str, name: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """Send a request, and return the kiosk's answer. Raise LinkDown, PublishRefused or KioskSilent."""


class Services(Struct, frozen=True, kw_only=True):
    """Everything that requests are answered from."""

    database: Database
    changes: Changes
    settings: CentreSettings
    ingest: EventIntake
    brokers: Callable[[], Sequence[BrokerStatus]]
    """The connections as they are now."""
    requests: RequestSender
    now: Now = utc_now
    monotonic: Callable[[], float] = time.monotonic

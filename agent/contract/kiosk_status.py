"""The retained `status` message, which is also the will (`mqtt.md#status`)."""

from enum import StrEnum

from msgspec import Struct
from msgspec.json import encode

from agent.contract.values import JournalId, UtcText

__all__ = ["KioskState", "KioskStatus", "status_document"]


class KioskState(StrEnum):
    """Whether the kiosk is connected, and if not, whether its start has failed."""

    ONLINE = "online"
    OFFLINE = "offline"
    FAILED = "failed"


class KioskStatus(Struct, frozen=True, kw_only=True):
    """Whether a kiosk can be reached. Every field is written, `null` where there is nothing to say."""

    state: KioskState
    reason: str | None
    """Why it is offline or failed, in words; null while online and after a clean stop."""
    version: str | None
    """The version of the agent."""
    journal: JournalId | None
    """The id of the open journal; null if none could be opened."""
    since: UtcText | None
    """When the state began. In a will: when the kiosk connected."""
    connection: int
    """The number of the connection (`mqtt.md#connection-number`)."""


def status_document(
    *, state: str, reason: str | None, version: str | None, journal: str | None, since: str | None, connection: int
) -> bytes:
    """Return the JSON text of a `KioskStatus`. Raise ValueError for an unknown state."""
    # A reason may name a file whose name is not valid UTF-8.
    shown = None if reason is None else reason.encode("utf-8", "backslashreplace").decode()
    status = KioskStatus(
        state=KioskState(state), reason=shown, version=version, journal=journal, since=since, connection=connection
    )
    return encode(status)

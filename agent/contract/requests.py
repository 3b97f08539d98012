"""What the consumer and an administrator send to one kiosk: acknowledgements and requests."""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["Ack", "Request"]


class Ack(Struct, frozen=True, kw_only=True):
    """The consumer has stored every event of a journal up to one of them (`mqtt.md#acknowledgement`)."""

    journal: str
    through: int
    """The sequence of that event."""
    id: str | None
    """The id of that event, if the consumer sent it."""


class Request(Struct, frozen=True, kw_only=True):
    """A request, to be answered on `response/{transaction}` (`mqtt.md#requests`)."""

    name: str
    transaction: str
    fields: Mapping[str, object]
    """The other fields of the message, as JSON values."""

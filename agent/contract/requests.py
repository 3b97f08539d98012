"""What the consumer and the fleet's admin say to one kiosk: acknowledgements and requests."""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["Ack", "Request"]


class Ack(Struct, frozen=True, kw_only=True):
    """The consumer has stored all events of `journal` up to sequence `through`; `id` is that event's, if it said so."""

    journal: str
    through: int
    id: str | None


class Request(Struct, frozen=True, kw_only=True):
    """A request to answer under `response/{transaction}`. `fields` has all else that it carries, as JSON values."""

    name: str
    transaction: str
    fields: Mapping[str, object]

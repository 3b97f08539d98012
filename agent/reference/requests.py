"""What the consumer and the fleet's admin say to one kiosk: acknowledgements and requests."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Ack", "Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The consumer has stored all events of `journal` up to sequence `through`; `id` is that event's, if it said so."""

    journal: str
    through: int
    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to answer under `response/{transaction}`. `fields` has all else that it carries, as JSON values."""

    name: str
    transaction: str
    fields: Mapping[str, object]

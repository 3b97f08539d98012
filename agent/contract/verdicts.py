"""What the centre has found out about a unit that this kiosk accepted."""

from enum import StrEnum

from msgspec import Struct

__all__ = ["Action", "Verdict"]


class Action(StrEnum):
    HOLD = "hold"
    RELEASE = "release"


class Verdict(Struct, frozen=True, kw_only=True):
    """`unit` of `order` may not ship (`HOLD`), or may after all; it is taken once per `id` and `revision`."""

    id: str
    revision: int
    action: Action
    order: str
    unit: str
    reason: str | None

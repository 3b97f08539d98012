"""What the centre has found out about a unit that this kiosk accepted."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Action", "Verdict"]


class Action(StrEnum):
    HOLD = "hold"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`unit` of `order` may not ship (`HOLD`), or may after all; it is taken once per `id` and `revision`."""

    id: str
    revision: int
    action: Action
    order: str
    unit: str
    reason: str | None

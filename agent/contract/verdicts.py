"""What the centre found out about a unit or an order of this kiosk (`mqtt.md#verdicts`)."""

from enum import StrEnum

from msgspec import Struct

__all__ = ["Action", "Verdict"]


class Action(StrEnum):
    """What a verdict does."""

    HOLD = "hold"
    """The unit may not ship."""
    RELEASE = "release"
    """It may, after all."""


class Verdict(Struct, frozen=True, kw_only=True):
    """One revision of a verdict. It is taken once for each id and revision."""

    id: str
    revision: int
    action: Action
    order: str
    unit: str | None
    """An identifier of the unit; None: the verdict is about the whole order."""
    reason: str | None
    """Why, for a person."""

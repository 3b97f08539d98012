"""Lists that kiosks work with: operators, box sizes, blocked units."""

from pydantic import BaseModel, Field

__all__ = ["BlockedList", "BoxSizeList", "OperatorList"]

_REVISION = Field(description="Rises with every change; 0: nothing was ever put. Also the `ETag`.")


class OperatorItem(BaseModel):
    """One person. Badges are never shown."""

    operator: str = Field(examples=["E7"])
    name: str | None
    roles: list[str] | None = Field(description="The roles that may be assigned to this operator; null: all.")


class OperatorList(BaseModel):
    """Who may work at a site."""

    revision: int = _REVISION
    items: list[OperatorItem]


class BoxSizeItem(BaseModel):
    """One size of box."""

    code: str = Field(examples=["M"])
    length_mm: int
    width_mm: int
    height_mm: int


class BoxSizeList(BaseModel):
    """The box sizes of a site."""

    revision: int = _REVISION
    items: list[BoxSizeItem]


class BlockedList(BaseModel):
    """One part of the units that may not ship."""

    revision: int = _REVISION
    items: list[str]

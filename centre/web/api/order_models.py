"""What the resource of an order consists of, for OpenAPI. `centre.orders.order_status` makes it."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

__all__ = ["BoxModel", "ContentModel", "OrderModel", "OrderState"]


class OrderState(StrEnum):
    """What has become of an order."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    PACKED = "packed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


class LineModel(BaseModel):
    """One line: what is ordered of it and what is counted."""

    line: str
    sku: str
    ordered: int = Field(description="0 for a line that was counted and is no longer in the manifest.")
    scanned: int
    pending: int = Field(description="Negative if too much is counted.")
    units: list[str] = Field(description="The published ids of the devices that are counted.")


class ContentModel(BaseModel):
    """What a box holds of one line."""

    line: str
    sku: str
    quantity: int
    units: list[str]


class BoxSizeModel(BaseModel):
    """The size of a box; the dimensions as they were when it was confirmed."""

    code: str
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None


class BoxModel(BaseModel):
    """One box of an order."""

    box: str
    site: str
    kiosk: str
    state: str = Field(examples=["open", "created", "confirmed"])
    mode: str | None
    size: BoxSizeModel | None
    label: str | None
    confirmed: bool
    confirmed_at: str | None
    contents: list[ContentModel]


class OperatorsOfOrder(BaseModel):
    """Who did what, as the kiosks said last."""

    picking: str | None
    packing: str | None
    shipping: str | None


class ConflictOfOrder(BaseModel):
    """A conflict of the order that is not closed."""

    id: int
    kind: str
    unit: str | None
    state: str


class OrderModel(BaseModel):
    """An order: what is ordered, and what has become of it."""

    order: str = Field(examples=["SO-1001"])
    version: int = Field(description="Rises with every change of this resource; its `ETag` changes with it.")
    revision: int | None = Field(description="Of the manifest; null if the centre knows the order by events alone.")
    status: OrderState
    site: str | None = Field(description="The site that works on it; null: all sites.")
    source: str = Field(description="Who writes the manifest.", examples=["centre", "broker", "kiosk"])
    changed: int = Field(description="A number that rises with every change of any order: for `changed_after`.")
    changed_at: str
    manifest: dict[str, Any] | None = Field(description="The manifest in force, as kiosks get it.")
    lines: list[LineModel]
    boxes: list[BoxModel] = Field(description="Those that are not voided.")
    operators: OperatorsOfOrder
    opened_at: str | None
    packed_at: str | None
    conflicts: list[ConflictOfOrder]
    published: bool | None = Field(
        description="Whether every broker has it; null: another system writes the manifest, or there is none."
    )
    incomplete: bool = Field(description="Whether events are stored that do not count yet.")

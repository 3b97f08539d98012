"""The schemas of the messages that come down (SPEC 5.2, 5.4): types, forms and bounds of single fields.

To be validated strictly: no value is coerced. Unknown fields are ignored, `null` is the same as absent.
"""

from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

__all__ = [
    "AckMessage",
    "BlockedMessage",
    "BoxMessage",
    "BoxesMessage",
    "CountedMessage",
    "LineMessage",
    "ManifestMessage",
    "OperatorMessage",
    "OperatorsMessage",
    "OrdersMessage",
    "RequestMessage",
    "RolesMessage",
    "VerdictMessage",
]

MAX_LINES = 500
MAX_NAME = 64
MAX_QUANTITY = 1_000_000
MAX_REVISION = 2**63 - 1
MAX_SIDE_MM = 100_000


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("unprintable", "has unprintable characters")
    return text


Identifier = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
"""A unit's identifier; thousands in one manifest, so that who reads it checks that all are printable at once."""

Code = Annotated[Identifier, AfterValidator(_printable)]
"""An id, SKU or barcode: printable text of at most 64 characters."""

Token = Annotated[str, Field(pattern=r"\A[A-Z0-9]{1,32}\z")]
"""An operator's id or a size's code."""

Transaction = Annotated[str, Field(pattern=r"\A[A-Za-z0-9_.:~-]{1,64}\z")]
"""A request's id; it becomes a level of the answer's topic."""

Gtin = Annotated[str, Field(pattern=r"\A([0-9]{8}|[0-9]{12,14})\z")]
Tac = Annotated[str, Field(pattern=r"\A[0-9]{8}\z")]
Sequence = Annotated[str, Field(pattern=r"\A[0-9]{12}\z")]
FreeText = Annotated[str, Field(max_length=256)]
Revision = Annotated[int, Field(ge=0, le=MAX_REVISION)]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE_MM)]
SerialLength = Annotated[int, Field(ge=1, le=64)]


class LineMessage(TypedDict):
    line: Code
    sku: Code
    name: NotRequired[FreeText | None]
    gtins: NotRequired[list[Gtin] | None]
    flow: NotRequired[Literal["used", "distribution", "pos"] | None]
    serialized: bool
    quantity: Quantity
    tacs: NotRequired[list[Tac] | None]
    units: NotRequired[list[Annotated[list[Identifier], Field(min_length=1)]] | None]
    serial_length: NotRequired[Annotated[list[SerialLength], Field(min_length=2, max_length=2)] | None]


class CountedMessage(TypedDict):
    line: Code
    quantity: Quantity
    units: NotRequired[list[Identifier] | None]
    box: Code


class RolesMessage(TypedDict):
    picking: NotRequired[Token | None]
    packing: NotRequired[Token | None]
    shipping: NotRequired[Token | None]


class ManifestMessage(TypedDict):
    order: Code
    revision: Revision
    type: Literal["normal", "pos"]
    status: Literal["open", "packed", "cancelled"]
    barcodes: NotRequired[list[Code] | None]
    operators: NotRequired[RolesMessage | None]
    lines: Annotated[list[LineMessage], Field(max_length=MAX_LINES)]
    counted: NotRequired[list[CountedMessage] | None]
    reopen: NotRequired[bool | None]


class OperatorMessage(TypedDict):
    operator: Token
    name: NotRequired[FreeText | None]
    badges: NotRequired[list[Code] | None]
    roles: NotRequired[list[Literal["picking", "packing", "shipping"]] | None]


class OperatorsMessage(TypedDict):
    revision: Revision
    salt: NotRequired[Code | None]
    items: list[OperatorMessage]


class BoxMessage(TypedDict):
    code: Token
    length_mm: Side
    width_mm: Side
    height_mm: Side


class BoxesMessage(TypedDict):
    revision: Revision
    items: list[BoxMessage]


class BlockedMessage(TypedDict):
    revision: Revision
    items: list[Code]


class OrdersMessage(TypedDict):
    revision: Revision
    orders: dict[Code, Revision]


class VerdictMessage(TypedDict):
    revision: Annotated[int, Field(ge=1, le=MAX_REVISION)]
    action: Literal["hold", "release"]
    order: Code
    unit: Code
    reason: NotRequired[FreeText | None]


class AckMessage(TypedDict):
    journal: Code
    through: Sequence
    id: NotRequired[Code | None]


class RequestMessage(TypedDict):
    transaction: Transaction

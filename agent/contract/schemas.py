"""The form of the messages that the centre sends: types, patterns and bounds of single fields.

They are validated strictly: no value is coerced. Unknown fields are ignored, and `null` is the same as absent
(`mqtt.md#json-values`). What no schema can say is in `agent.contract.messages`.
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
    "CountedBoxMessage",
    "CountedLineMessage",
    "CountedMessage",
    "CountedPartMessage",
    "LineMessage",
    "ManifestMessage",
    "OperatorMessage",
    "OperatorsMessage",
    "OrdersMessage",
    "RequestMessage",
    "ResendMessage",
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
"""A unit's identifier. A manifest may list thousands, so `messages` looks for unprintable ones all at once."""

Code = Annotated[Identifier, AfterValidator(_printable)]
"""An id, SKU or barcode: printable text of at most 64 characters."""

LabelCode = Identifier
"""A SKU, barcode or badge. One that no label can match is told, not refused."""

Token = Annotated[str, Field(pattern="^[A-Z0-9]{1,32}$")]
"""An operator's id or a box size's code."""

Transaction = Annotated[str, Field(pattern="^[A-Za-z0-9_.:~-]{1,64}$")]
"""A request's id; it becomes a level of the response's topic."""

Gtin = Annotated[str, Field(pattern="^([0-9]{8}|[0-9]{12,14})$")]
Tac = Annotated[str, Field(pattern="^[0-9]{8}$")]
Sequence = Annotated[str, Field(pattern="^[0-9]{12}$")]
Bound = Annotated[str, Field(pattern="^[0-9]{1,12}$")]
FreeText = Annotated[str, Field(max_length=256)]
Revision = Annotated[int, Field(ge=0, le=MAX_REVISION)]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE_MM)]
SerialLength = Annotated[int, Field(ge=1, le=64)]


# -- manifests ---------------------------------------------------------------------------------------------------


class LineMessage(TypedDict):
    """One line of an order."""

    line: Code
    """The line's id."""
    sku: LabelCode
    name: NotRequired[FreeText | None]
    gtins: NotRequired[list[Gtin] | None]
    """The GTINs of the product."""
    flow: NotRequired[Literal["used", "distribution", "pos"] | None]
    """Required unless the order's type is `pos`."""
    serialized: bool
    """Whether each device is scanned, or pieces are counted."""
    quantity: Quantity
    """Pieces ordered."""
    tacs: NotRequired[list[Tac] | None]
    """The line takes IMEIs that begin with one of these."""
    units: NotRequired[list[Annotated[list[Identifier], Field(min_length=1)]] | None]
    """The devices that the line takes, each with all its identifiers; the first one is published."""
    serial_length: NotRequired[Annotated[list[SerialLength], Field(min_length=2, max_length=2)] | None]
    """The line takes serial numbers from the first length to the second."""


class CountedMessage(TypedDict):
    """What lies in a confirmed box at another kiosk (`workflow.md#counted-at-another-kiosk`)."""

    line: Code
    quantity: Quantity
    """Pieces of the line in the box."""
    units: NotRequired[list[Identifier] | None]
    """The published ids of the serialized ones."""
    box: Code


class RolesMessage(TypedDict):
    """The operators of an order, by role."""

    picking: NotRequired[Token | None]
    packing: NotRequired[Token | None]
    shipping: NotRequired[Token | None]


class ManifestMessage(TypedDict):
    """One revision of an order."""

    order: Code
    """The order's id; the one of the topic."""
    revision: Revision
    """A manifest replaces one with a lower revision."""
    type: NotRequired[Literal["normal", "pos"] | None]
    """The lines of a `pos` order have the flow `pos` unless they say otherwise. Required where there are lines."""
    status: Literal["open", "packed", "cancelled"]
    barcodes: NotRequired[list[LabelCode] | None]
    """What opens the order when scanned; its id always does."""
    operators: NotRequired[RolesMessage | None]
    lines: NotRequired[Annotated[list[LineMessage], Field(max_length=MAX_LINES)] | None]
    """Required while the order is open; without lines a packed or cancelled order keeps those it had."""
    counted: NotRequired[list[CountedMessage] | None]
    reopen: NotRequired[Revision | None]
    """Packings confirmed at a lower revision than this are undone (`workflow.md#packed-orders-stay-closed`)."""


# -- reference messages ------------------------------------------------------------------------------------------


class OperatorMessage(TypedDict):
    """One person."""

    operator: Token
    """The operator's id."""
    name: NotRequired[FreeText | None]
    badges: NotRequired[list[LabelCode] | None]
    """Texts of badges, or their salted hashes if the list has a salt."""
    roles: NotRequired[list[Literal["picking", "packing", "shipping"]] | None]
    """The roles that may be assigned to this operator; absent: all."""


class OperatorsMessage(TypedDict):
    """Who may work."""

    revision: Revision
    salt: NotRequired[Code | None]
    """With a salt, badges are the lower-case hex SHA-256 of salt + code in upper case, UTF-8."""
    items: list[OperatorMessage]


class BoxMessage(TypedDict):
    """One box size."""

    code: Token
    length_mm: Side
    width_mm: Side
    height_mm: Side


class BoxesMessage(TypedDict):
    """The box sizes."""

    revision: Revision
    items: list[BoxMessage]


class BlockedMessage(TypedDict):
    """One part of the units that may not ship."""

    revision: Revision
    items: list[Code]
    """Their identifiers."""


class CountedLineMessage(TypedDict):
    """What a box holds of one line."""

    line: Code
    quantity: Quantity
    """Pieces."""
    units: NotRequired[list[Identifier] | None]
    """The published ids of the serialized ones."""


class CountedBoxMessage(TypedDict):
    """What is in one confirmed box."""

    box: Code
    """The box's id."""
    kiosk: Code
    """The kiosk that packed it."""
    contents: Annotated[list[CountedLineMessage], Field(max_length=MAX_LINES)]


class CountedPartMessage(TypedDict):
    """A part of what other kiosks have counted for one order (`mqtt.md#counted-parts`)."""

    order: Code
    """The order's id; the one of the topic."""
    part: Code
    """The part's name; the one of the topic."""
    revision: Revision
    boxes: list[CountedBoxMessage]


class OrdersMessage(TypedDict):
    """The index of orders."""

    revision: Revision
    orders: dict[Code, Revision]
    """The revision of each order's manifest."""


# -- to one kiosk ------------------------------------------------------------------------------------------------


class VerdictMessage(TypedDict):
    """What the centre found out about a unit that this kiosk accepted."""

    revision: Annotated[int, Field(ge=1, le=MAX_REVISION)]
    """A verdict is taken once for each id and revision."""
    action: Literal["hold", "release"]
    order: Code
    unit: NotRequired[Code | None]
    """An identifier of the unit; null: the verdict is about the whole order."""
    reason: NotRequired[FreeText | None]
    """Why, for a person."""


class AckMessage(TypedDict):
    """The consumer has stored every event of a journal up to this one."""

    journal: Code
    """The id of the journal."""
    through: Sequence
    id: NotRequired[Code | None]
    """The id of the event with the sequence `through`."""


class RequestMessage(TypedDict):
    """A request without parameters."""

    transaction: Transaction
    """Names the topic of the response. A transaction seen before is answered again from memory."""


ResendMessage = TypedDict(
    "ResendMessage",
    {
        "transaction": Transaction,
        "journal": Annotated[str, Field(description="The id of a journal of this kiosk.")],
        "from": Annotated[Bound, Field(description="The sequence of the first event.")],
        "through": Annotated[Bound, Field(description="The sequence of the last event.")],
    },
)
"""A request to publish events again. The daemon checks its fields itself, and says in its response what is wrong."""

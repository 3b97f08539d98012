"""The classes of a scan: what its code is taken for (`scanning.md#classes`)."""

from msgspec import Struct

from agent.contract.operators import Operator
from agent.contract.printed_codes import Verb
from agent.contract.reasons import Seen

__all__ = [
    "Ambiguous",
    "BadArgument",
    "Badge",
    "BoxLabel",
    "CommandScan",
    "OrderBarcode",
    "Product",
    "Recognised",
    "ScanClass",
    "Text",
    "UnitScan",
    "UnknownBadge",
    "Unreadable",
]


class Unreadable(Struct, frozen=True):
    """Cut short, too long, not decodable, malformed GS1 data, or like a barcode of ours with a wrong check character.

    `is_no_read`: it is what the scanner sends when it has read nothing (`scanning.md#no-read-texts`).
    """

    is_no_read: bool = False


class CommandScan(Struct, frozen=True):
    """A command (`scanning.md#command-barcodes`) whose argument the verb can have."""

    verb: Verb
    argument: str = ""


class BadArgument(Struct, frozen=True):
    """A command with an unknown verb or with an argument that the verb cannot have, or GS1 data with a quantity that
    nothing can have. `is_item`: it is GS1 data.
    """

    is_item: bool = False


class Badge(Struct, frozen=True):
    """A badge of the operators list (`scanning.md#badges`)."""

    operator: Operator


class UnknownBadge(Struct, frozen=True):
    """A badge that we printed and that is not on the operators list."""


class Ambiguous(Struct, frozen=True):
    """A code that means two things (`scanning.md#ambiguous-codes`). `is_badge`: one of them is a badge."""

    is_badge: bool


class OrderBarcode(Struct, frozen=True):
    """A barcode of the order with the id `order`. `is_open`: that order is open at the station."""

    order: str
    is_open: bool


class Product(Struct, frozen=True):
    """A product of the open order. `sku` is written as in the manifest.

    `quantity` is how many pieces the label says it stands for; None if it does not say.
    """

    sku: str
    quantity: int | None = None


class UnitScan(Struct, frozen=True):
    """A device. `ids` are its scanned identifiers in the form of `unit_key`, the main one first.

    `with_product` says that the scan names a product as well. `sku` is that product, or None if the open order does not
    have it.
    """

    ids: tuple[str, ...]
    with_product: bool = False
    sku: str | None = None
    quantity: int | None = None
    """The quantity that the same label gives, if any."""


class BoxLabel(Struct, frozen=True):
    """A box label (`scanning.md#box-labels`)."""

    label: str


class Recognised(Struct, frozen=True):
    """A barcode of a known form that is not wanted here (`scanning.md#what-was-seen`)."""

    seen: Seen


class Text(Struct, frozen=True):
    """A text of no class."""


ScanClass = (
    Unreadable
    | CommandScan
    | BadArgument
    | Badge
    | UnknownBadge
    | Ambiguous
    | OrderBarcode
    | Product
    | UnitScan
    | BoxLabel
    | Recognised
    | Text
)

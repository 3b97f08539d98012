"""What the cache keeps of the catalogue: the records that go to disk and come back."""

from msgspec import Struct

from agent.contract.manifest import Status

__all__ = ["Change", "Forgotten", "Loaded", "StoredOrder", "StoredReference"]


class StoredOrder(Struct, frozen=True, kw_only=True):
    """One manifest. `codes` are its barcodes in comparable form, so that it need not be parsed to be found.

    `source` is the manifest's compact text (`agent.contract.manifest_text`) in UTF-8.
    """

    order: str
    revision: int
    status: Status
    codes: tuple[str, ...]
    source: bytes


class StoredReference(Struct, frozen=True, kw_only=True):
    """A reference message: `name` is `operators`, `boxes`, `orders` or `blocked/{part}`."""

    name: str
    source: str


class Forgotten(Struct, frozen=True, kw_only=True):
    """An order that the cache need not keep any longer."""

    order: str


Change = StoredOrder | StoredReference | Forgotten


class Loaded(Struct, frozen=True, kw_only=True):
    """All that the cache had. `damaged` names the files that could not be read; they were set aside."""

    orders: tuple[StoredOrder, ...]
    references: tuple[StoredReference, ...]
    damaged: tuple[str, ...]

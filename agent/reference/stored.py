"""What the cache keeps of the catalogue: the records that go to disk and come back."""

from dataclasses import dataclass

from agent.reference.manifest import Status

__all__ = ["Change", "Forgotten", "Loaded", "StoredOrder", "StoredReference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """One manifest. `codes` are its barcodes in comparable form, so that it need not be parsed to be found.

    `source` is the manifest's compact text (`agent.reference.source`) in UTF-8.
    """

    order: str
    revision: int
    status: Status
    codes: tuple[str, ...]
    source: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReference:
    """A reference message: `name` is `operators`, `boxes`, `orders` or `blocked/{part}`."""

    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """An order that the cache need not keep any longer."""

    order: str


Change = StoredOrder | StoredReference | Forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All that the cache had. `damaged` names the files that could not be read; they were set aside."""

    orders: tuple[StoredOrder, ...]
    references: tuple[StoredReference, ...]
    damaged: tuple[str, ...]

"""What the readers of files return: manifests that are checked, and where they stand in the file."""

from msgspec import Struct

from centre.orders.manifest_decision import GivenManifest

__all__ = ["ParsedOrder"]


class ParsedOrder(Struct, frozen=True, kw_only=True):
    """One order of a file."""

    given: GivenManifest
    row: int
    """Its first row."""

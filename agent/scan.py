"""What a scanner produces: one framed scan, not yet decoded (`scanning.md#framing`)."""

from msgspec import Struct

__all__ = ["MAX_SCAN_BYTES", "Frame"]

MAX_SCAN_BYTES = 512


class Frame(Struct, frozen=True, kw_only=True):
    """One scan, as it was framed at its terminator."""

    data: bytes
    """What came before the terminator, at most `MAX_SCAN_BYTES`; of a scan that is not intact, what was kept of it."""
    intact: bool
    """False if the scan was too long or cut short, or if input was lost in it (`scanning.md#unreadable-scans`)."""
    at: float
    """Monotonic time in seconds when the scan was complete."""

"""What a scanner hands on: one framed scan, not yet decoded."""

from msgspec import Struct

__all__ = ["MAX_SCAN_BYTES", "Frame"]

MAX_SCAN_BYTES = 512


class Frame(Struct, frozen=True, kw_only=True):
    """One scan as it was framed at its terminator.

    `data` is what came before the terminator, at most `MAX_SCAN_BYTES` (of an unintact frame: what was kept of it).
    `intact` is false when the scan was longer than that, cut short, or had input lost in it.
    `at` is the monotonic time in seconds when the frame was complete.
    """

    data: bytes
    intact: bool
    at: float

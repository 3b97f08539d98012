"""What a scanner produces: one framed scan, not yet decoded (`scanning.md#framing`)."""

from msgspec import Struct

__all__ = ["MAX_SCAN_BYTES", "NO_READ", "Frame"]

MAX_SCAN_BYTES = 512

NO_READ = frozenset({"NOREAD", "NO READ", "ERROR", "NR"})
"""What scanners send when they have read nothing, unless their setting `no_read` names other texts."""


class Frame(Struct, frozen=True, kw_only=True):
    """One scan, as it was framed at its terminator."""

    data: bytes
    """What came before the terminator, as UTF-8 with GS as 0x1D, whatever the scanner sends for them.

    At most `MAX_SCAN_BYTES` were sent. Of a scan that is not intact, what was kept of it.
    """
    intact: bool
    """False if the scan was too long or cut short, or if input was lost in it (`scanning.md#unreadable-scans`)."""
    at: float
    """Monotonic time in seconds when the scan was complete."""
    no_read: frozenset[str] = NO_READ
    """What this scanner sends when it has read nothing, in the form of `agent.contract.manifest.same_case`
    (`scanning.md#no-read-texts`)."""

"""How fast the disk fills."""

from msgspec import Struct

__all__ = ["FillRate"]

_WINDOW_S = 10.0


class FillRate(Struct, kw_only=True):
    """Bytes per second, from the journal's newest position at two times that are at least ten seconds apart."""

    position: int = 0
    at: float = 0.0
    bytes_per_s: float = 0.0

    def update(self, position: int, bytes_per_event: float, now: float) -> None:
        """Take the newest position. No-op if the last one was taken too short a time ago."""
        if self.at and now - self.at < _WINDOW_S:
            return
        if self.at:
            self.bytes_per_s = max(0.0, (position - self.position) * bytes_per_event / (now - self.at))
        self.position, self.at = position, now

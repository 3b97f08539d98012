"""A disk whose writes and flushes fail when a test says so."""

from dataclasses import dataclass, field

__all__ = ["Storage"]


@dataclass
class Storage:
    """How many of the next calls fail, by the name of the call, and how many bytes a failing write still writes."""

    failing: dict[str, int] = field(default_factory=dict)
    written: int = 0
    rewritten: list[tuple[int, int]] = field(default_factory=list)

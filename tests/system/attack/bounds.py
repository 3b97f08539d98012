"""What an attack may cost: memory, descriptors, threads and disk of the daemon, measured while the attack runs."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from harness.kiosk import Kiosk

__all__ = ["MEASURED", "Bounds", "Cost", "Footprint", "measuring"]

_SAMPLE_S = 0.05
_MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much more than before the attack the daemon may use at any moment of it."""

    memory_kib: int = 30 * 1024
    descriptors: int = 10
    threads: int = 1
    disk_bytes: int = 8 * _MB


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What the daemon uses at one moment; `memory_kib` is resident memory."""

    memory_kib: int
    descriptors: int
    threads: int
    disk_bytes: int

    @classmethod
    def of(cls, kiosk: Kiosk) -> Self:
        process = Path(f"/proc/{kiosk.pid}")
        return cls(
            memory_kib=kiosk.resident_kib(),
            descriptors=len(os.listdir(process / "fd")),
            threads=len(os.listdir(process / "task")),
            disk_bytes=_disk_bytes(kiosk.state_dir),
        )

    def most(self, other: Self) -> Self:
        return type(self)(**{name: max(value, getattr(other, name)) for name, value in vars(self).items()})


def _disk_bytes(directory: Path) -> int:
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):  # the daemon, or the attack, deletes it meanwhile
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total


@dataclass
class Cost:
    """What an attack has cost: growth over the footprint before it, at the worst moment."""

    attack: str
    bounds: Bounds
    before: Footprint
    worst: Footprint
    slowest_ms: float | None = None
    """The slowest signal at the neighbouring station, if one was at work."""
    growth: dict[str, int] = field(default_factory=dict)

    def finish(self) -> None:
        """Compute the growth, and raise AssertionError for what is above its bound."""
        self.growth = {name: value - vars(self.before)[name] for name, value in vars(self.worst).items()}
        above = {name: value for name, value in self.growth.items() if value > vars(self.bounds)[name]}
        assert not above, f"{self.attack}: {above} above {self.bounds}"


MEASURED: list[Cost] = []
"""Every attack of this run, for the table at its end."""


@contextmanager
def measuring(kiosk: Kiosk, attack: str, bounds: Bounds | None = None) -> Iterator[Cost]:
    """Measure the daemon while the body attacks it; raise AssertionError at the end if a bound was exceeded.

    A daemon that is not there is not measured; one that was started in the body is compared with the one before it.
    """
    before = Footprint.of(kiosk)
    cost = Cost(attack, bounds or Bounds(), before, before)
    MEASURED.append(cost)
    over = threading.Event()

    def sample() -> None:
        while not over.wait(_SAMPLE_S):
            with suppress(OSError, IndexError):  # the daemon has ended
                cost.worst = cost.worst.most(Footprint.of(kiosk))

    sampler = threading.Thread(target=sample, name="sampler")
    sampler.start()
    try:
        yield cost
    finally:
        over.set()
        sampler.join()
    if kiosk.alive():
        cost.worst = cost.worst.most(Footprint.of(kiosk))
    cost.finish()

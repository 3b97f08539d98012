"""An indicator without hardware, for tests and trials. It passes the same contract tests as the real ones."""

from msgspec import Struct

from agent.contract.reasons import Reason
from agent.contract.signals import Signal, Steady
from agent.drivers.indicators.indicator import Indicator

__all__ = ["FakeIndicator", "ShownSignal"]


class ShownSignal(Struct, frozen=True, kw_only=True):
    """One call of `show`."""

    signal: Signal
    reason: Reason | None
    pending: int
    monotonic_ns: int


class FakeIndicator(Indicator):
    """Records every call in order. `fail` makes it a broken device."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[ShownSignal] = []
        self.light: Steady | None = None
        self.is_offline = False
        self.bars: list[tuple[int, int]] = []
        self.scans_seen = 0
        self.identified = 0
        self.faults_cleared = 0
        self.closed = False

    @property
    def signals(self) -> list[tuple[Signal, Reason | None]]:
        """The signals shown so far, with their reasons."""
        return [(shown.signal, shown.reason) for shown in self.shown]

    def fail(self, why: str | None) -> None:
        """Set the fault; None repairs the device."""
        self.fault = why

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        self.shown.append(ShownSignal(signal=signal, reason=reason, pending=pending, monotonic_ns=monotonic_ns))

    def scan_seen(self) -> None:
        self.scans_seen += 1

    def steady(self, light: Steady) -> None:
        self.light = light

    def offline(self, is_offline: bool) -> None:
        self.is_offline = is_offline

    def bar(self, scanned: int, ordered: int) -> None:
        self.bars.append((scanned, ordered))

    def identify(self) -> None:
        self.identified += 1

    def clear_fault(self) -> None:
        self.faults_cleared += 1

    def close(self) -> None:
        self.closed = True

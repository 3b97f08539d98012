"""A scanner and an indicator without hardware, for tests and trials: real drivers, held to the same contract."""

from msgspec import Struct

from agent.drivers.framing import IDLE_GAP_S, Framer
from agent.drivers.indicator import Indicator
from agent.drivers.scanner import Scanner
from agent.reasons import Reason
from agent.signals import Signal, Steady

__all__ = ["FakeIndicator", "FakeScanner", "Shown"]


class FakeScanner(Scanner):
    """A scanner that is told what it reads. It can be unplugged and plugged in again.

    All methods are for the loop's turns; from another thread use `loop.call_soon_threadsafe`.
    """

    def __init__(
        self,
        *,
        name: str = "fake",
        terminator: bytes = b"\r",
        idle_gap_s: float | None = IDLE_GAP_S,
        plugged_in: bool = True,
    ) -> None:
        super().__init__(name=name, description="fake", framer=Framer(terminator, idle_gap_s))
        self._terminator = terminator
        self._plugged_in = plugged_in
        self._waiting = bytearray()

    def scan(self, code: str | bytes) -> None:
        """Read one barcode whole."""
        self.type((code.encode() if isinstance(code, str) else code) + self._terminator)

    def type(self, data: bytes) -> None:
        """Send some bytes of a scan; unplugged or not started, they reach nobody."""
        if not self.connected:
            return
        if self._paused:
            self._waiting += data
        else:
            self._take(data)

    def spoil(self) -> None:
        """Lose some of the input."""
        if self.connected:
            self._spoil()

    def unplug(self) -> None:
        self._plugged_in = False
        self._waiting.clear()
        if self.connected:
            self._down("lost: unplugged")

    def plug_in(self) -> None:
        self._plugged_in = True
        if self._loop is not None and not self._closed:
            self._up("fake")

    def _begin(self) -> None:
        if self._plugged_in:
            self._up("fake")
        else:
            self._down("unplugged")

    def _end(self) -> None:
        self._waiting.clear()

    def _hold(self) -> None:
        pass

    def _go_on(self) -> None:
        waiting = bytes(self._waiting)
        self._waiting.clear()
        if waiting:
            self._take(waiting)


class Shown(Struct, frozen=True, kw_only=True):
    """One signal that was shown."""

    signal: Signal
    reason: Reason | None
    pending: int
    monotonic_ns: int


class FakeIndicator(Indicator):
    """Remembers all that it was told, in order; `fail` makes it a broken device."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Shown] = []
        self.light: Steady | None = None
        self.is_offline = False
        self.bars: list[tuple[int, int]] = []
        self.scans_seen = 0
        self.identified = 0
        self.faults_cleared = 0
        self.closed = False

    @property
    def signals(self) -> list[tuple[Signal, Reason | None]]:
        return [(shown.signal, shown.reason) for shown in self.shown]

    def fail(self, why: str | None) -> None:
        self.fault = why

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        self.shown.append(Shown(signal=signal, reason=reason, pending=pending, monotonic_ns=monotonic_ns))

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

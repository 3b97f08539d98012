"""A scanner without hardware, for tests and trials: a real driver, held to the same contract."""

from agent.drivers.scanners.framing import IDLE_GAP_S, Framer
from agent.drivers.scanners.scanner import Scanner

__all__ = ["FakeScanner"]


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

"""A scanner without hardware, for tests and trials. It passes the same contract tests as the real ones."""

from agent.drivers.scanners.framing import IDLE_GAP_S, Framer
from agent.drivers.scanners.scanner import Scanner

__all__ = ["FakeScanner"]


class FakeScanner(Scanner):
    """A scanner that a test makes read codes. It can be unplugged and plugged in again.

    Call its methods in callbacks of the loop; from another thread use `loop.call_soon_threadsafe`.
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
        """Read one barcode, with its terminator."""
        self.type((code.encode() if isinstance(code, str) else code) + self._terminator)

    def type(self, data: bytes) -> None:
        """Send some bytes of a scan. They are lost if the scanner is unplugged or not started."""
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
        """Unplug the device; what it has not delivered is lost."""
        self._plugged_in = False
        self._waiting.clear()
        if self.connected:
            self._down("lost: unplugged")

    def plug_in(self) -> None:
        """Plug the device in again."""
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

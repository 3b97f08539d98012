"""Cut a stream of bytes into scans at the scanner's terminator. Pure; time is handed in (`scanning.md#framing`).

Each scanner has a `Framer` of its own, so scans of two scanners never mix (`faults.md#two-scanners-at-once`).
"""

from msgspec import Struct

from agent.scan import MAX_SCAN_BYTES, NO_READ, Frame

__all__ = ["IDLE_GAP_S", "TERMINATORS", "Framer", "TextSettings"]

IDLE_GAP_S = 0.2
"""The longest gap between two bytes of one scan, on a serial line as well as from a keyboard wedge."""

TERMINATORS = (b"\r", b"\n", b"\r\n", b"\t")

GS = b"\x1d"

_LINE_ENDS = b"\r\n\t\0"
"""What a scanner may send after the terminator, and what belongs to it then."""


class TextSettings(Struct, frozen=True, kw_only=True):
    """How a scanner writes what it has read."""

    encoding: str = "utf-8"
    gs: bytes = b""
    """What it sends for GS in addition to 0x1D, as UTF-8; empty: nothing else (`scanning.md#what-stands-for-gs`)."""
    no_read: frozenset[str] = NO_READ
    """See `Frame.no_read`."""


class Framer:
    """Cuts the bytes of one scanner into frames. Never holds more than `MAX_SCAN_BYTES` and a few bytes.

    A lone terminator is ignored. What `_LINE_ENDS` names belongs to the terminator before it, until another byte or the
    idle gap; an LF right after the terminator CR, and a CR right before the terminator LF, in any case. So each of them
    works with a scanner that sends CR LF. (`scanning.md#one-end-a-scan`)

    A scan is not intact if it is longer than `MAX_SCAN_BYTES`, cut short by `lost` or `idle`, or touched by `spoil`. It
    becomes one frame: at its terminator if that still comes, else after `idle_gap_s` seconds of silence (None: never).
    (`scanning.md#unreadable-scans`, `faults.md#garbage-and-floods`)
    """

    __slots__ = ("_after_cr", "_broken", "_ended", "_head", "_idle_gap_s", "_rest", "_terminator", "_text", "deadline")

    def __init__(
        self,
        terminator: bytes = b"\r",
        idle_gap_s: float | None = IDLE_GAP_S,
        text: TextSettings = TextSettings(),  # noqa: B008 - frozen
    ) -> None:
        if terminator not in TERMINATORS:
            raise ValueError(f"not a terminator: {terminator!r}")
        self._terminator = terminator
        self._idle_gap_s = idle_gap_s
        self._text = text
        self._rest = b""  # the bytes so far of the scan being read
        self._head = b""  # the first bytes of a broken scan, for its frame
        self._broken = False
        self._ended = False  # a terminator came last, less than the idle gap ago
        self._after_cr = False  # the terminator CR came last, at any time
        self.deadline: float | None = None
        """When to call `idle`, in monotonic seconds; None while nothing is expected."""

    def feed(self, data: bytes, at: float) -> list[Frame]:
        """Add bytes that were read at time `at`; return the scans they complete. No bytes delay `idle`: a sign of life.

        Only `idle` detects a gap, never this: bytes that were read late because the reader was busy were not sent late.
        """
        if data and (self._ended or self._after_cr):
            data = self._after_end(data)
            if not data:
                return []  # the deadline stays: an endless flood of line ends is not one terminator
        frames: list[Frame] = []
        if data:
            first, *others = (self._rest + data).split(self._terminator)
            scans = [first, *(scan.lstrip(_LINE_ENDS) for scan in others)]
            self._rest = scans.pop()
            self._ended = bool(others) and not self._rest
            self._after_cr = self._ended and data.endswith(b"\r") and self._terminator == b"\r"
            for scan in scans:
                frame = self._frame(scan, at)
                if frame is not None:
                    frames.append(frame)
            # One byte over the limit may be the CR of a terminator.
            if len(self._rest) > MAX_SCAN_BYTES + 1:
                self._break()
        self._wait(at)
        return frames

    def spoil(self, at: float) -> None:
        """Some input was lost and more will come: the scan being read is not intact."""
        self._ended = self._after_cr = False
        self._break()
        self._wait(at)

    def lost(self, at: float) -> list[Frame]:
        """The input ended: return the half-read scan as not intact. The next byte begins a new scan."""
        half_read = self._broken or self._rest
        frames = [self._framed(self._head or self._rest, at, intact=False)] if half_read else []
        self._begin()
        self._ended = self._after_cr = False
        self._rest = b""
        self.deadline = None
        return frames

    def idle(self, at: float) -> list[Frame]:
        """If the deadline has passed at time `at`, do the same as `lost`; else return nothing."""
        if self.deadline is None or at < self.deadline:
            return []
        if self._ended:
            self._ended, self.deadline = False, None
            return []
        return self.lost(at)

    def _after_end(self, data: bytes) -> bytes:
        """Return what is left of bytes that follow a terminator: without what belongs to it."""
        left = data.lstrip(_LINE_ENDS) if self._ended else data.removeprefix(b"\n")
        self._after_cr = not left and self._terminator == b"\r" and data.endswith(b"\r")
        self._ended = self._ended and not left
        return left

    def _frame(self, scan: bytes, at: float) -> Frame | None:
        if self._terminator == b"\n":
            scan = scan.removesuffix(b"\r")
        if self._broken or len(scan) > MAX_SCAN_BYTES:
            scan = self._head or scan
            self._begin()
            return self._framed(scan, at, intact=False)
        return self._framed(scan, at, intact=True) if scan else None

    def _framed(self, scan: bytes, at: float, *, intact: bool) -> Frame:
        text = self._text
        data = scan[:MAX_SCAN_BYTES]
        if text.encoding != "utf-8":
            data = data.decode(text.encoding).encode()
        if text.gs:
            data = data.replace(text.gs, GS)
        return Frame(data=data, intact=intact, at=at, no_read=text.no_read)

    def _break(self) -> None:
        if not self._broken:
            self._broken = True
            self._head = self._rest[:MAX_SCAN_BYTES]
        # The last byte may be the CR of a CR LF.
        self._rest = self._rest[-1:]

    def _begin(self) -> None:
        self._broken = False
        self._head = b""

    def _wait(self, at: float) -> None:
        if self._idle_gap_s is not None:
            self.deadline = at + self._idle_gap_s if self._broken or self._rest or self._ended else None

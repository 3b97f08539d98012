"""Framing: from a stream of bytes to scans, cut at the scanner's terminator. Pure; time is handed in.

One `Framer` belongs to one scanner, so the scans of two scanners never mix.
"""

from agent.scan import MAX_SCAN_BYTES, Frame

__all__ = ["IDLE_GAP_S", "TERMINATORS", "Framer"]

IDLE_GAP_S = 0.2
"""Within a scan, bytes follow each other faster than this, on a serial line and from a keyboard wedge alike."""

TERMINATORS = (b"\r", b"\n", b"\r\n", b"\t")


class Framer:
    """Cuts the bytes of one scanner into frames. Holds at most `MAX_SCAN_BYTES` and a few bytes, whatever comes.

    A lone terminator is nothing. With the terminator CR, an LF directly after it is dropped; with LF, a CR directly
    before it belongs to it: so either finds the scans of a device that sends CR LF.

    Not intact is a scan longer than `MAX_SCAN_BYTES`, cut short by `lost` or `idle`, or touched by `spoil`: one frame,
    at its terminator if that still comes, else when the line has been quiet for `idle_gap_s` seconds (none: never).
    """

    __slots__ = ("_after_cr", "_broken", "_head", "_idle_gap_s", "_rest", "_terminator", "deadline")

    def __init__(self, terminator: bytes = b"\r", idle_gap_s: float | None = IDLE_GAP_S) -> None:
        if terminator not in TERMINATORS:
            raise ValueError(f"no terminator of a scan: {terminator!r}")
        self._terminator = terminator
        self._idle_gap_s = idle_gap_s
        self._rest = b""  # what came of the scan being read
        self._head = b""  # of a broken scan: the first bytes, kept for the frame
        self._broken = False
        self._after_cr = False
        self.deadline: float | None = None
        """When `idle` is due, in monotonic seconds; none while no scan is half-read."""

    def feed(self, data: bytes, at: float) -> list[Frame]:
        """Take bytes read at `at`; answer the scans they complete. No bytes: a sign of life, which puts off the gap.

        A gap is found by `idle` alone, never here: bytes read late, because the reader was held up, were not sent late.
        """
        if self._terminator == b"\r" and data:
            if b"\n" in data:
                data = self._without_lf(data)
            else:
                self._after_cr = data[-1:] == b"\r"
        frames: list[Frame] = []
        if data:
            scans = (self._rest + data).split(self._terminator)
            self._rest = scans.pop()
            for scan in scans:
                frame = self._frame(scan, at)
                if frame is not None:
                    frames.append(frame)
            # One byte over the limit may still be the CR of a terminator.
            if len(self._rest) > MAX_SCAN_BYTES + 1:
                self._break()
        if self._rest or self._broken:
            self._wait(at)
        else:
            self.deadline = None
        return frames

    def spoil(self, at: float) -> None:
        """Some input was lost, and more is on its way: what is being read, up to its terminator, is not intact."""
        self._break()
        self._wait(at)

    def lost(self, at: float) -> list[Frame]:
        """The input has ended: a half-read scan is complete now, and not intact. The next byte begins a new scan."""
        half_read = self._broken or self._rest
        frames = [Frame(data=(self._head or self._rest)[:MAX_SCAN_BYTES], intact=False, at=at)] if half_read else []
        self._begin()
        self._rest = b""
        self.deadline = None
        return frames

    def idle(self, at: float) -> list[Frame]:
        """It is `at` now: where the deadline has passed, the same as `lost`; else nothing."""
        if self.deadline is None or at < self.deadline:
            return []
        return self.lost(at)

    def _without_lf(self, data: bytes) -> bytes:
        if self._after_cr and data[0] == 0x0A:
            data = data[1:]
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\r")

    def _frame(self, scan: bytes, at: float) -> Frame | None:
        if self._terminator == b"\n":
            scan = scan.removesuffix(b"\r")
        if self._broken or len(scan) > MAX_SCAN_BYTES:
            scan = (self._head or scan)[:MAX_SCAN_BYTES]
            self._begin()
            return Frame(data=scan, intact=False, at=at)
        return Frame(data=scan, intact=True, at=at) if scan else None

    def _break(self) -> None:
        if not self._broken:
            self._broken = True
            self._head = self._rest[:MAX_SCAN_BYTES]
        # The last byte may be the first half of CR LF.
        self._rest = self._rest[-1:]

    def _begin(self) -> None:
        self._broken = False
        self._head = b""

    def _wait(self, at: float) -> None:
        if self._idle_gap_s is not None:
            self.deadline = at + self._idle_gap_s if self._broken or self._rest else None

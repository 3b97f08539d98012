"""A bench as its operator has it: scanners to scan with, a light to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from harness.indicator import Indicator, Signalled
from harness.scanner import Scanner

__all__ = ["Station"]


class Station:
    """One station of a kiosk. A scan without a named scanner takes the scanners in turn.

    In turn, because refusals beyond five a second from one scanner are journaled as one event, and tests look at each.
    """

    def __init__(
        self,
        directory: Path,
        name: str = "1",
        *,
        scanners: Sequence[str] = ("left", "right"),
        indicator: Literal["fifo", "file"] = "fifo",
    ) -> None:
        self.name = name
        devices = directory / f"station-{name}"
        devices.mkdir(parents=True)
        self.scanners = {scanner: Scanner(devices / scanner) for scanner in scanners}
        self.indicator = Indicator(devices / "signals.jsonl", kind=indicator)
        self._turn = 0

    def settings(self) -> dict[str, Any]:
        """The station's part of the configuration."""
        return {
            "id": self.name,
            "scanner": [
                {"name": scanner.name, "driver": "serial", "port": str(scanner.path)}
                for scanner in self.scanners.values()
            ],
            "indicator": {"driver": "jsonl", "path": str(self.indicator.path)},
        }

    def _next_scanner(self) -> Scanner:
        names = list(self.scanners)
        self._turn += 1
        return self.scanners[names[self._turn % len(names)]]

    def scan(self, code: str | bytes, by: str | None = None) -> Signalled:
        """Scan one code and take its signal. AssertionError if anything was shown that no scan asked for."""
        stray = self.indicator.left()
        assert not stray, f"shown without a scan: {stray}"
        (self.scanners[by] if by is not None else self._next_scanner()).send(code)
        return self.indicator.next().signalled

    def scan_all(self, *codes: str | bytes) -> list[Signalled]:
        """`scan` one after the other."""
        return [self.scan(code) for code in codes]

    def burst(self, by: str, *codes: str | bytes) -> list[Signalled]:
        """Scan all in one write of one scanner, then take as many signals."""
        stray = self.indicator.left()
        assert not stray, f"shown without a scan: {stray}"
        self.scanners[by].send(*codes)
        return [self.indicator.next().signalled for _ in codes]

    def close(self) -> None:
        for scanner in self.scanners.values():
            scanner.close()
        self.indicator.close()

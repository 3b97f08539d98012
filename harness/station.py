"""The devices of a station: its scanners, and an indicator whose signals can be read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from harness.indicator import Signalled, SignalReader
from harness.scanner import PtyScanner

__all__ = ["OperatorStation"]


class OperatorStation:
    """One station of a kiosk, its devices in `directory`. Context-managed.

    A scan that names no scanner uses the scanners in turn: beyond five refusals a second from one scanner, the kiosk
    journals them as one event, and tests look at each.
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
        self.scanners = {scanner: PtyScanner(devices / scanner) for scanner in scanners}
        self.indicator = SignalReader(devices / "signals.jsonl", kind=indicator)
        self._turn = 0

    def settings(self) -> dict[str, Any]:
        """Return the station's part of the configuration."""
        return {
            "id": self.name,
            "scanner": [
                {"name": scanner.name, "driver": "serial", "port": str(scanner.path)}
                for scanner in self.scanners.values()
            ],
            "indicator": {"driver": "jsonl", "path": str(self.indicator.path)},
        }

    def scanner(self, name: str | None = None) -> PtyScanner:
        """Return a scanner by name, or else the next one in turn."""
        if name is None:
            names = list(self.scanners)
            self._turn += 1
            name = names[self._turn % len(names)]
        return self.scanners[name]

    def scan(self, code: str | bytes, by: str | None = None) -> Signalled:
        """Scan one code and return its signal. Raises AssertionError if something was shown that no scan asked for."""
        [signalled] = self._scan(by, code)
        return signalled

    def scan_all(self, *codes: str | bytes) -> list[Signalled]:
        """Scan codes one after the other, each when the one before has its signal."""
        return [self.scan(code) for code in codes]

    def burst(self, by: str, *codes: str | bytes) -> list[Signalled]:
        """Scan all codes with one scanner in one write, then take a signal for each."""
        return self._scan(by, *codes)

    def _scan(self, by: str | None, *codes: str | bytes) -> list[Signalled]:
        unasked = self.indicator.left()
        assert not unasked, f"shown without a scan: {unasked}"
        self.scanner(by).send(*codes)
        return [shown.signalled for shown in self.indicator.take(len(codes))]

    def close(self) -> None:
        for scanner in self.scanners.values():
            scanner.close()
        self.indicator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

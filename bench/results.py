"""The results of a benchmark: rows with their rounds, as a table and as JSON."""

import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Row", "busy", "cumulative", "document", "machine", "percentile", "table"]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def cumulative(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the values in order and the share of values up to each: a distribution to draw."""
    ordered = sorted(values)
    return ordered, [(number + 1) / len(ordered) for number in range(len(ordered))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure. `ours` and `reference` have a value for each round.

    The bound (`at_most` or `at_least`) is for `value`. `samples` are the single measurements, for drawing.
    """

    what: str
    unit: str
    ours: Sequence[float]
    reference: Sequence[float] = ()
    at_most: float | None = None
    at_least: float | None = None
    samples: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The ratio of the medians; without a reference, the median of ours."""
        ours = statistics.median(self.ours)
        return ours / statistics.median(self.reference) if self.reference else ours

    @property
    def is_met(self) -> bool | None:
        """Whether the bound is met; None without a bound."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return self.value >= self.at_least if self.at_least is not None else None


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table: what, ours, reference (median, lowest to highest round), ratio, bound, verdict."""
    lines = [("what", "ours", "reference", "ratio", "bound", "verdict")]
    for row in rows:
        bound = f"<= {row.at_most:g}" if row.at_most is not None else ""
        if row.at_least is not None:
            bound = f">= {row.at_least:g}"
        verdict = {True: "met", False: "MISSED", None: ""}[row.is_met]
        ratio = f"{row.value:.2f}" if row.reference else ""
        lines.append((f"{row.what} [{row.unit}]", _spread(row.ours), _spread(row.reference), ratio, bound, verdict))
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _first(path: str, key: str) -> str:
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown"


def _mount_of(path: Path) -> str:
    """Return the device and the file system that a path is on, from /proc/mounts."""
    resolved = path.resolve()
    found, length = "unknown", -1
    for line in Path("/proc/mounts").read_text().splitlines():
        device, point, kind, *_ = line.split()
        if resolved.is_relative_to(point) and len(point) > length:
            found, length = f"{device} {kind}", len(point)
    return found


def machine(path: Path) -> dict[str, str]:
    """Describe this machine, and the disk that `path` is on."""
    return {
        "cpu": _first("/proc/cpuinfo", "model name"),
        "cores": str(len([line for line in Path("/proc/cpuinfo").read_text().splitlines() if line[:9] == "processor"])),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "disk": _mount_of(path),
        "load": Path("/proc/loadavg").read_text().strip(),
    }


def busy(where: Mapping[str, str]) -> str | None:
    """Return a warning if the machine was busy before: a flush that waits for others hides what ours costs."""
    load, cores = float(where["load"].split()[0]), int(where["cores"])
    if load <= cores / 2:
        return None
    return f"The load was {load:g} on {cores} cores before the start: do not trust the verdicts on times."


def document(rows: Sequence[Row], where: Mapping[str, str]) -> dict[str, Any]:
    return {
        "machine": dict(where),
        "rows": [
            {
                "what": row.what, "unit": row.unit, "ours": list(row.ours), "reference": list(row.reference),
                "value": row.value, "at_most": row.at_most, "at_least": row.at_least, "is_met": row.is_met,
                "samples": dict(row.samples),
            }
            for row in rows
        ],
    }  # fmt: skip

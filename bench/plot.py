"""`python -m bench.plot [FILE.png]`: draw the results of the last benchmark. Needs matplotlib."""

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt

from bench.results import cumulative

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "main"]

RESULTS = Path(__file__).with_name("results.json")


def _samples(rows: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return the samples called `name` of the first row that has them."""
    return next((row["samples"][name] for row in rows if name in row["samples"]), None)


def _latency(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    axes.set_title("scan to signal")
    for name, label in (("ours", "kiosk"), ("reference", "append + fdatasync")):
        blocks = _samples(rows, name)
        if blocks is not None:
            values, shares = cumulative(list(chain.from_iterable(blocks)))
            axes.plot(values, shares, label=label)
    axes.set(xscale="log", xlabel="microseconds", ylabel="share of scans")
    axes.legend()


def _backlog(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    axes.set_title("a commit's p50 against the backlog")
    levels = _samples(rows, "levels") or []
    waiting = [level["waiting"] for level in levels]
    axes.plot(waiting, [level["us"] for level in levels], "o-", label="commit")
    axes.plot(waiting, [level["flush_us"] for level in levels], "s--", label="append + fdatasync")
    axes.set_xscale("symlog", linthresh=10_000)
    axes.set(xlabel="events waiting", ylabel="microseconds", ylim=(0, None))
    axes.legend()


def _manifests(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    axes.set_title("scan to signal against the open order's size")
    sizes = _samples(rows, "by_size") or []
    devices = [size["devices"] for size in sizes]
    for share in ("p50", "p99"):
        axes.plot(devices, [size[share] for size in sizes], "o-", label=share)
    axes.set(xscale="log", xlabel="devices listed", ylabel="microseconds", ylim=(0, None))
    axes.legend()


def _day(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    axes.set_title("a day: resident memory")
    resident = _samples(rows, "resident") or []
    axes.plot([number / max(1, len(resident) - 1) for number in range(len(resident))], [b / 1e6 for b in resident])
    axes.set(xlabel="share of the day", ylabel="MB", ylim=(0, None))


def draw(results: Mapping[str, Any], path: Path) -> None:
    """Draw four panels into an image file."""
    figure, panels = plt.subplots(2, 2, figsize=(12, 8), constrained_layout=True)
    for axes, panel in zip(panels.flat, (_latency, _backlog, _manifests, _day), strict=True):
        panel(axes, results["rows"])
    where = results["machine"]
    figure.suptitle(f"{where['cpu']}, {where['cores']} cores, {where['disk']}")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS.with_suffix(".png")
    if not RESULTS.exists():
        sys.exit("nothing to draw yet: run `python -m bench` first")
    draw(json.loads(RESULTS.read_text()), path)
    print(path)


if __name__ == "__main__":
    main()

"""Check the coverage of each room against its floor.

Usage: coverage_floors.py FILE, where FILE is what `pytest --cov-report=json:FILE` wrote.
Lines and branches count alike. Prints one row for each room; the exit code is 1 if a room is below its floor.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

HIGH = 95.0
LOW = 85.0
FLOORS = dict.fromkeys(
    (
        "agent/catalogue",
        "agent/contract",
        "agent/journal",
        "agent/workflow",
        "centre/configuration",
        "centre/ingest",
        "centre/projection",
    ),
    HIGH,
)
"""Of the other rooms, those of the centre included, it is `LOW`."""


def room_of(path: str) -> str:
    """`agent/workflow/step.py` is in `agent/workflow`; a module directly in agent/ is in `agent`."""
    parts = Path(path).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def main(report: Path) -> int:
    covered: dict[str, int] = defaultdict(int)
    total: dict[str, int] = defaultdict(int)
    for path, found in json.loads(report.read_text())["files"].items():
        summary = found["summary"]
        covered[room_of(path)] += summary["covered_lines"] + summary["covered_branches"]
        total[room_of(path)] += summary["num_statements"] + summary["num_branches"]
    below = False
    for room in sorted(total):
        share, floor = 100 * covered[room] / max(1, total[room]), FLOORS.get(room, LOW)
        below |= share < floor
        print(f"{room:20} {share:6.1f} %   floor {floor:.0f} %{'   BELOW' if share < floor else ''}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

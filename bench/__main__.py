"""`python -m bench [part …]`: measure, print the table, write bench/results.json; exit code 1 if a bound is missed."""

import argparse
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Protocol

from bench import backlog, day, drain, manifests, peers, scan, slow, start, writes
from bench.results import Row, busy, document, machine, table
from bench.scratch import Scratch


class Measure(Protocol):
    def __call__(self, scratch: Scratch, *, quick: bool = False) -> list[Row]: ...


PARTS: dict[str, Measure] = {
    "scan": scan.measure,
    "writes": writes.measure,
    "drain": drain.measure,
    "backlog": backlog.measure,
    "start": start.measure,
    "manifests": manifests.measure,
    "day": day.measure,
    "slow": slow.measure,
    "peers": peers.measure,
}
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"which parts (default: all): {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller sizes: only to see that it runs")
    arguments = parser.parse_args()
    names = arguments.part or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}")
    # An installed kiosk has its bytecode compiled, and so have the reference's libraries.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # paho warns about every connection that it has closed itself.
    logging.getLogger("paho").setLevel(logging.CRITICAL)
    rows: list[Row] = []
    with Scratch() as scratch:
        where = machine(scratch.path)
        for name in names:
            began = time.monotonic()
            print(f"{name} …", end=" ", file=sys.stderr, flush=True)
            rows += PARTS[name](scratch, quick=arguments.quick)
            # Written after each part, so that a long run that fails has not been for nothing.
            RESULTS.write_text(json.dumps(document(rows, where), indent=1))
            print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(rows))
    print(", ".join(f"{key}: {value}" for key, value in where.items()))
    if warning := busy(where):
        print(warning)
    return 1 if any(row.is_met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

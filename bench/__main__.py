"""`python -m bench [part …]`: measure, print the table, write bench/results.json; exit code 1 if a bound is missed."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from bench import drain, scan
from bench.results import Row, document, machine, table
from bench.site import Scratch

PARTS: dict[str, Callable[[Scratch], list[Row]]] = {"scan": scan.measure, "drain": drain.measure}
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"which parts (default: all): {', '.join(PARTS)}")
    names = parser.parse_args().part or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}")
    rows: list[Row] = []
    with Scratch() as scratch:
        where = machine(scratch.path)
        for name in names:
            print(f"{name} …", file=sys.stderr, flush=True)
            rows += PARTS[name](scratch)
    print(table(rows))
    print(", ".join(f"{key}: {value}" for key, value in where.items()))
    RESULTS.write_text(json.dumps(document(rows, where), indent=1))
    return 1 if any(row.is_met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

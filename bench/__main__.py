"""`python -m bench [part …]`: measure, print the table, write bench/results.json; exit code 1 if a bound is missed."""

import sys
from pathlib import Path
from typing import Protocol

from bench import backlog, day, drain, manifests, peers, scan, slow, start, writes
from bench.results import Row
from bench.running import Measure, parser_of, run
from bench.scratch import Scratch


class _Part(Protocol):
    def __call__(self, scratch: Scratch, *, quick: bool = False) -> list[Row]: ...


def _measure(part: _Part) -> Measure:
    return lambda scratch, quick: part(scratch, quick=quick)


PARTS: dict[str, Measure] = {
    "scan": _measure(scan.measure),
    "writes": _measure(writes.measure),
    "drain": _measure(drain.measure),
    "backlog": _measure(backlog.measure),
    "start": _measure(start.measure),
    "manifests": _measure(manifests.measure),
    "day": _measure(day.measure),
    "slow": _measure(slow.measure),
    "peers": _measure(peers.measure),
}
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    parser = parser_of("python -m bench", __doc__, PARTS)
    return run(parser, parser.parse_args(), PARTS, RESULTS)


if __name__ == "__main__":
    sys.exit(main())

"""Measure the budgets of the centre: `python -m bench.centre_bench [part …]`.

Prints the table and writes bench/centre-results.json; the exit code is 1 if a bound is missed.
"""

import sys
from pathlib import Path

from bench.centre_bench import first_page, growth, imports, ingest, latency, transactions
from bench.running import Measure, parser_of, run

PARTS: dict[str, Measure] = {
    "ingest": ingest.measure,
    "transactions": transactions.measure,
    "latency": latency.measure,
    "page": first_page.measure,
    "growth": growth.measured_with(growth.EVENTS),
    "import": imports.measure,
}
RESULTS = Path(__file__).parents[1] / "centre-results.json"


def main() -> int:
    parser = parser_of("python -m bench.centre_bench", __doc__, PARTS)
    parser.add_argument(
        "--events", type=int, default=growth.EVENTS, help="how many events a large store has (default: %(default)s)"
    )
    arguments = parser.parse_args()
    return run(parser, arguments, {**PARTS, "growth": growth.measured_with(arguments.events)}, RESULTS)


if __name__ == "__main__":
    sys.exit(main())

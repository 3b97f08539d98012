"""Run the parts of a bench: measure, print the table, write the results; exit code 1 if a bound is missed."""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from bench.results import Row, busy, document, machine, table
from bench.scratch import Scratch

__all__ = ["Measure", "parser_of", "run"]

Measure: TypeAlias = Callable[[Scratch, bool], list[Row]]
"""Measures one part in a scratch folder; quickly, if the second argument is true."""


def parser_of(program: str, description: str | None, parts: Mapping[str, Any]) -> argparse.ArgumentParser:
    """Return the parser of the arguments that every bench has."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("part", nargs="*", help=f"which parts (default: all): {', '.join(parts)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller sizes: only to see that it runs")
    return parser


def run(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, parts: Mapping[str, Measure], results: Path
) -> int:
    """Measure the parts that were asked for, and return the exit code."""
    names = arguments.part or list(parts)
    if unknown := [name for name in names if name not in parts]:
        parser.error(f"no such part: {', '.join(unknown)}")
    # What is installed has its bytecode compiled, and so have the references' libraries.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # paho warns about every connection that it has closed itself.
    logging.getLogger("paho").setLevel(logging.CRITICAL)
    rows: list[Row] = []
    with Scratch() as scratch:
        where = machine(scratch.path)
        for name in names:
            began = time.monotonic()
            print(f"{name} …", end=" ", file=sys.stderr, flush=True)
            rows += parts[name](scratch, arguments.quick)
            # Written after each part, so that a long run that fails has not been for nothing.
            results.write_text(json.dumps(document(rows, where), indent=1))
            print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(rows))
    print(", ".join(f"{key}: {value}" for key, value in where.items()))
    if warning := busy(where):
        print(warning)
    return 1 if any(row.is_met is False for row in rows) else 0

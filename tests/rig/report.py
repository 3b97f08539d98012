"""The results of the device tests: the rows of the table in docs/explanation/rig.md."""

import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

__all__ = ["CaseResult", "failed", "run", "table", "write"]

_Bench = TypeVar("_Bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    subject: str
    what: str
    passed: bool
    seen: str
    seconds: float


def run(subject: str, case: Callable[[_Bench], str], at: _Bench) -> CaseResult:
    """Run one test, print how it ended, and return its row."""
    started = time.monotonic()
    try:
        seen, passed = case(at), True
    # Any exception is the result of this test, and the others still run.
    except Exception as exc:  # noqa: BLE001
        seen, passed = _told(exc), False
    what = (case.__doc__ or case.__name__).splitlines()[0]
    return _said(CaseResult(subject=subject, what=what, passed=passed, seen=seen, seconds=time.monotonic() - started))


def failed(subject: str, what: str, exc: Exception, seconds: float) -> CaseResult:
    """Return the row of what could not be started."""
    return _said(CaseResult(subject=subject, what=what, passed=False, seen=_told(exc), seconds=seconds))


def table(rows: Sequence[CaseResult]) -> str:
    lines = ["| subject | test | result | seen | s |", "|---|---|---|---|---|"]
    for row in rows:
        result = "pass" if row.passed else "**FAIL**"
        seen = row.seen.replace("|", "\\|")
        lines.append(f"| {row.subject} | {row.what} | {result} | {seen} | {row.seconds:.0f} |")
    return "\n".join(lines)


def write(file: Path, text: str, *, of: str = "table") -> None:
    """Write the text between a file's marks `<!-- of -->` and `<!-- end of of -->`. Raises ValueError without them."""
    begin, end = f"<!-- {of} -->", f"<!-- end of {of} -->"
    before, found, rest = file.read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{file} has no {begin} … {end}")
    file.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")


def _told(exc: Exception) -> str:
    traceback.print_exception(exc, file=sys.stderr)
    return f"{type(exc).__name__}: {' '.join(str(exc).split())[:400]}"


def _said(row: CaseResult) -> CaseResult:
    print(f"{'pass' if row.passed else 'FAIL'} {row.seconds:4.0f} s  {row.what}: {row.seen}", flush=True)
    return row

"""`python -m tests.rig.arm64`: the wheel and the drivers on arm64, on QEMU's own board and on a Raspberry Pi 3B.

    python -m tests.rig.arm64 [--build | --as-built] [--write FILE] [virt] [raspi3b]

The arguments are those of `python -m tests.rig`, with a board in place of a subject.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.rig.boards import PI_3B, VIRT, Board
from tests.rig.cases.arm64 import CASES, SCANNER, ArmBench, Light
from tests.rig.image import CACHE, RELEASE, CannotBuild, build
from tests.rig.lights import PinLevels, SimulatedLines
from tests.rig.machine import Machine
from tests.rig.report import CaseResult, failed, run, table, write
from tests.rig.unmanaged import UnmanagedKiosk


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A board, and how the test sees its light."""

    board: Board
    light: Callable[[Machine], Light]


SUBJECTS = {
    "virt": Subject(board=VIRT, light=SimulatedLines),
    "raspi3b": Subject(board=PI_3B, light=PinLevels),
}


@contextmanager
def bench(name: str) -> Iterator[ArmBench]:
    """Boot a guest with its keyboard plugged in and its kiosk configured."""
    subject = SUBJECTS[name]
    with Machine(CACHE, name, board=subject.board) as machine:
        print(f"rig: {name} booted in {machine.boot_s:.0f} s", flush=True)
        kiosk = UnmanagedKiosk(machine)
        kiosk.configure([SCANNER])
        yield ArmBench(machine=machine, kiosk=kiosk, light=subject.light(machine))


def run_on(name: str) -> list[CaseResult]:
    """Run every test on one board; a board that does not boot is one failed row."""
    started = time.monotonic()
    try:
        with bench(name) as at:
            return [run(name, case, at) for case in CASES]
    except Exception as exc:  # noqa: BLE001 - the other board is still tested
        return [failed(name, "The board boots", exc, time.monotonic() - started)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig.arm64", description=__doc__.splitlines()[0])
    parser.add_argument("--build", action="store_true", help="build the image and do nothing else")
    parser.add_argument("--as-built", action="store_true", help="use the image that is there, however old")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table into this file")
    parser.add_argument("board", nargs="*", help=f"{' or '.join(SUBJECTS)}; both, if none is named")
    args = parser.parse_args()
    if unknown := {*args.board} - {*SUBJECTS}:
        parser.error(f"no such board: {', '.join(sorted(unknown))}")
    if not args.as_built:
        try:
            build("arm64")
        except CannotBuild as exc:
            print(f"rig: {exc}", file=sys.stderr)
            return 2
    if args.build:
        return 0
    rows = [row for name in args.board or SUBJECTS for row in run_on(name)]
    print(table(rows))
    if args.write is not None:
        write(args.write, table(rows), of=f"{RELEASE} arm64 table")
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

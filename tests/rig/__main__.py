"""`python -m tests.rig`: build the guest, boot it, run the device tests, print the table.

    python -m tests.rig [--build | --as-built] [--write FILE] [CASE ...]

`--build` only builds the image; `--as-built` uses the image that is there. CASE is a subject (keyboards) or a test
(flooded). `--write` writes the table between the two marks of a Markdown file. The exit code is 0 if every test passed.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig.bench import SCANNERS, Case, RigBench, signed_in
from tests.rig.cases import keyboards, latency, learning, plugging, service, signals, vanishing
from tests.rig.image import CACHE, RELEASE, CannotBuild, build
from tests.rig.kiosk import GuestKiosk
from tests.rig.machine import Machine
from tests.rig.report import run, table, write
from tests.rig.scanners import Scanners

# In this order: `signals` needs a kiosk that has counted nothing, and `vanishing` takes the light away.
SUBJECTS = {
    "service": service.CASES[:3],
    "signals": signals.CASES,
    "keyboards": [signed_in(case) for case in keyboards.CASES],
    "plugging": [signed_in(case) for case in plugging.CASES],
    "latency": latency.CASES,
    "learning": learning.CASES,
    "restarts": [signed_in(case) for case in service.CASES[3:]],
    "vanishing": [signed_in(case) for case in vanishing.CASES],
}


@contextmanager
def bench() -> Iterator[RigBench]:
    """Boot a guest, plug in its scanners, and start its kiosk."""
    with Machine(CACHE) as machine:
        print(f"rig: booted in {machine.boot_s:.0f} s", flush=True)
        kiosk, scanners = GuestKiosk(machine), Scanners(machine)
        for number in range(2):
            scanners.gadget(number, f"S{number + 1}")
        for number, name in enumerate(("us", "de", "fr", "uk"), start=1):
            scanners.make(name, 0x1111, number)
        for number, name in enumerate(("several-a", "several-b")):
            scanners.make(name, 0x1111, 9, f"rig-several/input{number}")
        kiosk.configure(SCANNERS)
        kiosk.start()
        kiosk.wait_connected("wedge", "line", "hid1", "hid2", "us", "de", "fr", "uk", "several")
        yield RigBench(machine=machine, kiosk=kiosk, scanners=scanners)


def chosen(names: list[str]) -> list[tuple[str, Case]]:
    cases = [(subject, case) for subject, cases in SUBJECTS.items() for case in cases]
    known = {*SUBJECTS, *(case.__name__ for _, case in cases)}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"no such test: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [(subject, case) for subject, case in cases if not names or subject in names or case.__name__ in names]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description=__doc__.splitlines()[0])
    parser.add_argument("--build", action="store_true", help="build the image and do nothing else")
    parser.add_argument("--as-built", action="store_true", help="use the image that is there, however old")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table into this file")
    parser.add_argument("case", nargs="*", help="a subject or a test; all, if none is named")
    args = parser.parse_args()
    cases = chosen(args.case)
    if not args.as_built:
        try:
            build("amd64")
        except CannotBuild as exc:
            print(f"rig: {exc}", file=sys.stderr)
            return 2
    if args.build:
        return 0
    with bench() as at:
        rows = [run(subject, case, at) for subject, case in cases]
    print(table(rows))
    if args.write is not None:
        write(args.write, table(rows), of=f"{RELEASE} table")
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.rig`: build the guest, boot it, run the device tests, print the table.

    python -m tests.rig [--build | --as-built] [--write FILE] [CASE ...]

`--build` builds the image alone; `--as-built` takes the one that is there. CASE is a subject (keyboards) or a test
(flooded). `--write` puts the table, as Markdown, between the two marks of a file. Exit code 0 if every test passed.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.rig.bench import SCANNERS, Bench, Case
from tests.rig.cases import keyboards, latency, learning, plugging, service, signals, vanishing
from tests.rig.kiosk import Kiosk
from tests.rig.machine import Machine
from tests.rig.scanners import Scanners

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("KIOSK_RIG_CACHE", Path.home() / ".cache" / "kiosk-agent-rig"))
INPUTS = ("agent", "systemd", "firmware-config", "make/install.mk", "pyproject.toml", "tests/rig/build")
BEGIN, END = "<!-- table -->", "<!-- end of table -->"

# In this order: the signals want a kiosk that has counted nothing, and after the last there is no light any more.
SUBJECTS = {
    "service": service.CASES[:3],
    "signals": signals.CASES,
    "keyboards": keyboards.CASES,
    "plugging": plugging.CASES,
    "latency": latency.CASES,
    "learning": learning.CASES,
    "restarts": service.CASES[3:],
    "vanishing": vanishing.CASES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    subject: str
    what: str
    passed: bool
    seen: str
    seconds: float


def inputs_hash() -> str:
    """Of everything that the image is made of."""
    digest = hashlib.sha256()
    for name in INPUTS:
        path = ROOT / name
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def build() -> None:
    """Build the image, unless it is made of the same already."""
    stamp, wanted = CACHE / "img" / "inputs", inputs_hash()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    subprocess.run(
        [ROOT / "tests/rig/build/build_image.sh"], env=dict(os.environ, KIOSK_RIG_CACHE=str(CACHE)), check=True
    )
    stamp.write_text(wanted)


@contextmanager
def bench() -> Iterator[Bench]:
    """A booted guest with its scanners plugged in and its kiosk at work."""
    with Machine(CACHE) as machine:
        print(f"rig: booted in {machine.boot_s:.0f} s", flush=True)
        kiosk, scanners = Kiosk(machine), Scanners(machine)
        for number in range(2):
            scanners.gadget(number, f"S{number + 1}")
        for number, name in enumerate(("us", "de", "fr", "uk"), start=1):
            scanners.make(name, 0x1111, number)
        for number, name in enumerate(("several-a", "several-b")):
            scanners.make(name, 0x1111, 9, f"rig-several/input{number}")
        kiosk.configure(SCANNERS)
        kiosk.start()
        kiosk.wait_connected("wedge", "line", "hid1", "hid2", "us", "de", "fr", "uk", "several")
        yield Bench(machine=machine, kiosk=kiosk, scanners=scanners)


def chosen(names: list[str]) -> list[tuple[str, Case]]:
    cases = [(subject, case) for subject, cases in SUBJECTS.items() for case in cases]
    known = {*SUBJECTS, *(case.__name__ for _, case in cases)}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"no such test: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [(subject, case) for subject, case in cases if not names or subject in names or case.__name__ in names]


def run(subject: str, case: Case, at: Bench) -> Row:
    started = time.monotonic()
    try:
        seen, passed = case(at), True
    # Whatever goes wrong in one test is that row's result, and the others still run.
    except Exception as exc:  # noqa: BLE001
        seen, passed = f"{type(exc).__name__}: {' '.join(str(exc).split())[:400]}", False
        traceback.print_exc(file=sys.stderr)
    what = (case.__doc__ or case.__name__).splitlines()[0]
    return Row(subject=subject, what=what, passed=passed, seen=seen, seconds=time.monotonic() - started)


def table(rows: list[Row]) -> str:
    lines = ["| subject | test | result | seen | s |", "|---|---|---|---|---|"]
    for row in rows:
        result = "pass" if row.passed else "**FAIL**"
        seen = row.seen.replace("|", "\\|")
        lines.append(f"| {row.subject} | {row.what} | {result} | {seen} | {row.seconds:.0f} |")
    return "\n".join(lines)


def write(file: Path, text: str) -> None:
    before, _, rest = file.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    file.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description=__doc__.splitlines()[0])
    parser.add_argument("--build", action="store_true", help="build the image and do nothing else")
    parser.add_argument("--as-built", action="store_true", help="take the image that is there, however old")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this file")
    parser.add_argument("case", nargs="*", help="a subject or a test; all, if none is named")
    args = parser.parse_args()
    cases = chosen(args.case)
    if not args.as_built:
        build()
    if args.build:
        return 0
    rows = []
    with bench() as at:
        for subject, case in cases:
            rows.append(run(subject, case, at))
            row = rows[-1]
            print(f"{'pass' if row.passed else 'FAIL'} {row.seconds:4.0f} s  {row.what}: {row.seen}", flush=True)
    print(table(rows))
    if args.write is not None:
        write(args.write, table(rows))
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.rig.powercut N`: N real power cuts (`faults.md#power-cut`).

A guest scans, this machine kills it, and boots it again. The state is on a disk that loses what was not flushed
(`lossy_disk`). Each signal reaches this machine over a virtio port, and a cut cannot take it back. After each
cut the journal is read from the disk and compared with the signals; then the kiosk starts on it and goes on.

    python -m tests.rig.powercut [--control] [--write FILE] N

`--write` writes the table between the two marks of a Markdown file. The exit code is 0 if nothing was lost or counted
twice. With `--control` the disk ignores flushes, and the exit code is 0 if the rig finds what is lost.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.codes import imei
from harness.servers import find_program
from harness.settings import toml
from harness.waiting import wait_for
from harness.warehouse import BADGES, OPERATORS, TAC, line, manifest
from tests.rig.bench import SERIAL_PORT
from tests.rig.image import CACHE, CannotBuild, build
from tests.rig.lossy_disk import Cut, LossyDisk
from tests.rig.machine import GuestError, Machine
from tests.rig.report import write

DISK_BYTES = 64 << 20
STATE = "/data/state"
AGENT = "/opt/kiosk-agent/bin/kiosk-agent"
SETTINGS = {
    "kiosk": {"site": "rig", "id": "k1", "state_dir": STATE},
    "mqtt": {"host": "127.0.0.1", "port": 1883, "tls": False},
    "uplink": {"reserve_mb": 4},
    "workflow": {"required_roles": [], "bounce_ms": 0},
    "station": [
        {
            "id": "1",
            "scanner": [{"name": "line", "driver": "serial", "port": SERIAL_PORT}],
            "indicator": {"driver": "jsonl", "path": "/dev/virtio-ports/rig.signals"},
        }
    ],
}
ORDER = "SO-1"
BURST = 8
DEVICES = 900
"""How many are scanned at most: they all go into one box, which holds a thousand."""
PATIENCE_S = 120.0


class Lost(AssertionError):
    """The kiosk has lost what it signalled, or counted it twice."""


@dataclass(kw_only=True)
class Tally:
    """The counts over all lives."""

    cuts: int = 0
    signalled: int = 0
    in_doubt_there: int = 0
    kept: int = 0
    torn: int = 0
    lost: int = 0
    tails: int = 0
    seconds: float = 0.0
    counted: list[str] = field(default_factory=list)
    """The devices that were signalled as counted, in order."""
    doubtful: list[str] = field(default_factory=list)
    """The devices that were scanned before the cut, and had no signal yet."""


def wait(condition: Callable[[], bool], what: str) -> None:
    wait_for(condition, what, deadline_s=PATIENCE_S, poll_s=0.002)


class Life:
    """One boot of the guest, until the next cut."""

    def __init__(self, folder: Path, cache: Path, chance: random.Random, *, flushing: bool) -> None:
        self._signals = folder / "signals.jsonl"
        self._signals.write_bytes(b"")
        socket_path = folder / "disk.sock"
        self._disk = LossyDisk(folder / "disk.img", socket_path, chance, lying=not flushing)
        self.machine = Machine(
            cache,
            "powercut",
            real_time=True,
            devices=[
                *("-drive", f"file=nbd+unix:///?socket={socket_path},format=raw,if=none,id=data,cache=writeback"),
                *("-device", "virtio-blk-pci,drive=data,serial=state"),
                *("-chardev", f"file,id=signals,path={self._signals}"),
                *("-device", "virtserialport,chardev=signals,name=rig.signals"),
            ],
        )
        self.machine.run("mkdir -p /data; mount /dev/vdb /data", timeout_s=60)

    def journal(self) -> tuple[list[dict[str, object]], int]:
        """Return all events on the disk, and the size of an unfinished tail. This machine reads them from a copy."""
        from agent.journal.external_reader import Damage, UnfinishedTail, read_all

        archive = self.machine.run(f"mkdir -p {STATE}/journal; cd {STATE} && tar cf /run/journal.tar journal; echo ok")
        if not archive.endswith("ok\n"):
            raise GuestError(archive)
        copy = self._signals.parent / "copy"
        subprocess.run(["rm", "-rf", copy], check=True)
        copy.mkdir()
        (copy / "journal.tar").write_bytes(self.machine.get("/run/journal.tar"))
        subprocess.run(["tar", "xf", "journal.tar"], cwd=copy, check=True)
        events, tail = [], 0
        for found in read_all(copy / "journal"):
            if isinstance(found, Damage):
                raise Lost(f"the journal is damaged: {found}")
            if isinstance(found, UnfinishedTail):
                tail = found.size
            else:
                events.append(json.loads(found.document))
        return events, tail

    def start(self) -> None:
        """Start the kiosk; it is up when it has opened the scanner."""
        self.machine.put("/run/agent.toml", toml(SETTINGS))
        self.machine.start(f"{AGENT} run --config /run/agent.toml", "/run/kiosk.log")
        self.machine.until("grep -c 'scanner connected' /run/kiosk.log", timeout_s=PATIENCE_S)
        self.line = self.machine.serial()

    def tell(self, topic: str, content: object) -> None:
        self.machine.put("/run/message", json.dumps(content))
        self.machine.run(f"mosquitto_pub -V 5 -q 1 -r -t 'kiosk/v1/rig/{topic}' -f /run/message")

    def shown(self) -> list[str]:
        """Return the signals given in this life."""
        lines = self._signals.read_bytes().split(b"\n")[:-1]
        return [json.loads(line)["signal"] for line in lines]

    def scan(self, code: str) -> str:
        before = len(self.shown())
        self.line.sendall(code.encode() + b"\r")
        wait(lambda: len(self.shown()) > before, f"a signal for {code}")
        return self.shown()[before]

    def cut(self) -> Cut:
        return self._disk.cut(self.machine.power_cut)


def compare(tally: Tally, events: list[dict[str, object]]) -> None:
    """Compare what is on the disk with what was signalled. Raises Lost."""
    numbers = [int(str(event["sequence"])) for event in events]
    if numbers != list(range(1, len(numbers) + 1)):
        raise Lost(f"the sequence has a gap: {numbers[-5:]}")
    counts: Counter[str] = Counter()
    for event in events:
        if event["type"] == "kiosk.scan.accepted.v1":
            data = event["data"]
            assert isinstance(data, dict)
            counts[data["unit"]["id"]] += 1
    if doubled := [unit for unit, count in counts.items() if count > 1]:
        raise Lost(f"counted twice: {doubled}")
    if missing := [unit for unit in tally.counted if unit not in counts]:
        raise Lost(f"signalled, and lost: {len(missing)}, from {missing[0]} on")
    more = list(counts)[len(tally.counted) :]
    if more != tally.doubtful[: len(more)]:
        raise Lost(f"{more} are counted, {tally.doubtful} were scanned when the power went")
    tally.counted += more
    tally.in_doubt_there += len(more)
    tally.doubtful = []


def work(life: Life, tally: Tally, until_s: float, most: int) -> int:
    """Scan one device after the other until the time is up, then a burst without waiting for its signals.

    Returns how many signals were given before the burst.
    """
    for _ in range(most):
        if time.monotonic() >= until_s:
            break
        unit = imei(TAC, len(tally.counted) + 1)
        signal = life.scan(unit)
        if signal != "ok":
            raise Lost(f"{unit} is {signal}, after {len(tally.counted)} counted")
        tally.counted.append(unit)
        tally.signalled += 1
    given = len(life.shown())
    tally.doubtful = [imei(TAC, len(tally.counted) + number) for number in range(1, BURST + 1)]
    life.line.sendall("".join(f"{unit}\r" for unit in tally.doubtful).encode())
    return given


def hear(tally: Tally, late: list[str]) -> None:
    """Count the signals of the burst that came before the cut."""
    if set(late) - {"ok"}:
        raise Lost(f"the burst's signals: {late}")
    tally.counted += tally.doubtful[: len(late)]
    tally.signalled += len(late)
    del tally.doubtful[: len(late)]


def first_steps(life: Life) -> None:
    """Sign in and open the order."""
    life.tell("reference/operators", {"revision": 1, "items": OPERATORS})
    life.tell(f"order/{ORDER}", manifest(ORDER, line("1", "P", 1000, flow="pos", tacs=[TAC]), operators=None))
    wait(lambda: life.scan(BADGES["E7"]) == "ok", "the operators list")
    wait(lambda: life.scan(ORDER) == "ok", "the order")


def campaign(cuts: int, cache: Path, seed: int, *, flushing: bool = True) -> Tally:
    """Live and cut the power so many times on one disk. Raises Lost at the first broken promise.

    Without `flushing` the disk answers flushes and does nothing, so that something must be lost.
    """
    chance, tally, began = random.Random(seed), Tally(), time.monotonic()
    folder = cache / "run" / "powercut-disk"
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "disk.img"
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run([find_program("mke2fs"), "-q", "-F", "-t", "ext4", image], check=True)
    for number in range(cuts + 1):
        life = Life(folder, cache, chance, flushing=flushing)
        try:
            events, tail = life.journal()
            compare(tally, events)
            tally.tails += tail > 0
            if number == cuts:
                break
            life.start()
            if number == 0:
                first_steps(life)
            given = work(life, tally, time.monotonic() + chance.uniform(0.2, 4.0), DEVICES // cuts - BURST)
            time.sleep(chance.uniform(0, 0.25))
        finally:
            toll = life.cut()
        hear(tally, life.shown()[given:])
        tally.cuts += 1
        tally.kept, tally.torn, tally.lost = tally.kept + toll.kept, tally.torn + toll.torn, tally.lost + toll.lost
        print(f"cut {tally.cuts}: {len(tally.counted)} counted, {len(events)} events before, {toll}", flush=True)
    tally.seconds = time.monotonic() - began
    return tally


def table(tally: Tally, seed: int) -> str:
    rows = [
        ("power cuts", tally.cuts),
        ("devices signalled as counted", tally.signalled),
        ("of them lost", 0),
        ("counted twice", 0),
        ("scanned when the power went, unsignalled, and there afterwards", tally.in_doubt_there),
        ("unfinished tails of the journal, dropped", tally.tails),
        ("4 KiB blocks unflushed at the cuts: kept, torn, lost", f"{tally.kept}, {tally.torn}, {tally.lost}"),
        ("seconds a cut", round(tally.seconds / max(1, tally.cuts), 1)),
        ("seed", seed),
    ]
    return "\n".join(["| what | seen |", "|---|---|", *(f"| {what} | {seen} |" for what, seen in rows)]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rig.powercut")
    parser.add_argument("cuts", type=int)
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--control", action="store_true", help="without flushes: the rig must notice what is lost")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    args = parser.parse_args()
    try:
        build("amd64")
        tally = campaign(args.cuts, CACHE, args.seed, flushing=not args.control)
    except CannotBuild as exc:
        print(f"power cuts: {exc}", file=sys.stderr)
        return 2
    except Lost as broken:
        if args.control:
            print(f"the control has failed, as it must: {broken}")
            return 0
        print(f"LOST (seed {args.seed}): {broken}", file=sys.stderr)
        return 1
    if args.control:
        print("nothing was lost without flushes: this rig proves nothing", file=sys.stderr)
        return 1
    print(table(tally, args.seed))
    if args.write is not None:
        write(args.write, table(tally, args.seed), of="power cuts")
    return 0


if __name__ == "__main__":
    sys.exit(main())

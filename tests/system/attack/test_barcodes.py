"""Hostile barcodes: one signal a scan, nothing counted, bounded cost, and the other station works on."""

import random
from itertools import islice

import pytest

from harness.codes import badge, command
from harness.scanner import interleave
from harness.waiting import wait_for
from harness.warehouse import BADGES
from harness.world import OK, World, refused
from tests.system.attack.attacking import attacked
from tests.system.attack.hostile_barcodes import KINDS, scans_of

SEED = 20261128
SHORT, LONG = 1500, 30_000
"""Scans of each kind."""
BATCH_BYTES = 3000
"""As much as a pseudo-terminal holds, so that a batch is one write."""

SUCCESSES = {"ok", "line_done", "order_done", "boxed", "saved", "confirmed", "removed"}


def batches(scans: list[bytes]) -> list[list[bytes]]:
    found: list[list[bytes]] = [[]]
    for scan in scans:
        if sum(map(len, found[-1])) + len(scan) > BATCH_BYTES:
            found.append([])
        found[-1].append(scan)
    return found


def refuse_all(world: World, scans: list[bytes]) -> None:
    """Scan all; each has one signal, and none of them a success."""
    for batch in batches(scans):
        for scan, signalled in zip(batch, world.station.burst("left", *batch), strict=True):
            assert signalled.signal not in SUCCESSES, f"{scan!r}: {signalled}"


@pytest.mark.parametrize("rounds", [40, pytest.param(4000, marks=pytest.mark.soak)])
def test_flood_of_commands_from_two_scanners(world: World, rounds: int) -> None:
    """Rules: faults.md#garbage-and-floods, faults.md#two-scanners-at-once."""
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    codes = [
        command(verb, argument)
        for verb, argument in (
            ("SAVE", ""), ("CANCEL", ""), ("UNDO", ""), ("REMOVE", ""), ("REPEAT", ""), ("WHERE", ""), ("PACK", ""),
            ("CONFIRM", ""), ("QTY", "7"), ("MODE", "USED"), ("KIND", "AUTO"), ("BOX", "M"), ("OUT", ""), ("CLOSE", ""),
        )
    ]  # fmt: skip
    with attacked(world, f"{rounds * 40} commands from two scanners at once"):
        left, right = world.station.scanners["left"], world.station.scanners["right"]
        for _ in range(rounds):
            lines = [b"".join(code.encode() + b"\r" for code in chance.choices(codes, k=20)) for _ in range(2)]
            interleave((left, lines[0]), (right, lines[1]))
            assert len(world.station.indicator.take(40)) == 40


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", KINDS)
def test_garbage_has_one_signal_a_scan(world: World, kind: str, count: int) -> None:
    """Rules: faults.md#garbage-and-floods, signals.md#one-signal-per-scan."""
    print(f"seed {SEED}")
    with attacked(world, f"{count} scans, {kind}"):
        refuse_all(world, list(scans_of(kind, SEED, count)))
    assert "\x1b" not in world.kiosk.output()
    assert "\nlevel=error" not in world.kiosk.output()


@pytest.mark.parametrize("megabytes", [0.1, pytest.param(50, marks=pytest.mark.soak)])
def test_no_terminator(world: World, megabytes: float) -> None:
    """Rules: faults.md#garbage-and-floods, scanning.md#unreadable-scans."""
    with attacked(world, f"{megabytes} MB without a terminator"):
        scanner = world.station.scanners["left"]
        for _ in range(int(megabytes * 10)):
            scanner.write(b"\xff4" * 50_000)
        scanner.write(b"\r")
        assert world.station.indicator.next().signalled == refused("unreadable")


def guess_badges(world: World, guesses: int) -> None:
    """Guess at the first station with both of its scanners at once."""
    for number in range(0, guesses, 20):
        codes = [badge(f"GUESS{number + one:06d}") for one in range(20)]
        world.station.scanners["left"].send(*codes[:10])
        world.station.scanners["right"].send(*codes[10:])
        assert {shown.signalled for shown in world.station.indicator.take(20)} == {refused("badge_unknown")}


@pytest.mark.parametrize("guesses", [60, pytest.param(20_000, marks=pytest.mark.soak)])
def test_badges_guessed_from_two_scanners(world: World, guesses: int) -> None:
    """No guess is right any more, not even a right one, and none leaves the kiosk.

    Rules: scanning.md#guessing-badges, scanning.md#a-badge-never-leaves-the-kiosk.
    """
    mark = world.mark()
    with attacked(world, f"{guesses} guessed badges"):
        guess_badges(world, guesses)
        assert world.station.scan(BADGES["E9"]) == refused("badge_unknown")
        assert world.station.scan(BADGES["E7"]).signal == "again", "the signed-in operator's is known"
    world.mark()
    told = [event.data.code for event in world.consumer.since(mark, "scan.rejected")]
    assert told
    assert not [code for code in told if "GUESS" in code], "a guess has left the kiosk"


@pytest.mark.soak
def test_guessing_is_over_after_a_minute(world: World) -> None:
    """Rule: scanning.md#guessing-badges."""
    assert world.station.scan(command("OUT")) == OK
    guess_badges(world, 20)
    assert world.station.scan(BADGES["E7"]) == refused("badge_unknown")
    wait_for(lambda: world.station.scan(BADGES["E7"]) == OK, "a badge to sign in again", deadline_s=90, poll_s=1)


def test_half_scans_are_cut_off_by_every_unplugging(world: World) -> None:
    """Rules: faults.md#scanner-unplugged, scanning.md#unreadable-scans."""
    halves = list(islice(scans_of("wrong identifiers", SEED, 10), 5))
    with attacked(world, "scanner unplugged in the middle of scans"):
        scanner = world.station.scanners["left"]
        for half in halves:
            scanner.write(b"XY\r" + half[:300])
            assert world.station.indicator.next().signal == "reject"
            scanner.unplug()
            assert world.station.indicator.next().signalled == refused("unreadable")
            scanner.plug()
            wait_for(lambda: connected(world), "the scanner to be back")


def connected(world: World) -> bool:
    scanners = world.centre.request("health")["health"]["scanners"]
    return all(scanner["connected"] for scanner in scanners)

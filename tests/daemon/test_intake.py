"""Each scanner's scans are taken in order, and no scanner waits for the end of another one's flood."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from agent.daemon.intake import AHEAD, Intake
from agent.drivers.scanners.fake_scanner import FakeScanner
from agent.runtime.event_loop import EventLoop


@dataclass
class Benches:
    """Two stations with a scanner each."""

    intake: Intake
    one: FakeScanner
    two: FakeScanner

    def take(self, count: int) -> list[tuple[str, str, str]]:
        """Take up to `count` scans, each as (station, scanner, code)."""
        found = [self.intake.next() for _ in range(count)]
        return [(scan[0], scan[1], scan[2].data.decode()) for scan in found if scan is not None]

    def codes(self, count: int) -> list[str]:
        return [code for _, _, code in self.take(count)]


@pytest.fixture
def benches() -> Iterator[Benches]:
    watch, intake = EventLoop(), Intake()
    with FakeScanner(name="one") as one, FakeScanner(name="two") as two:
        for station, scanner in (("1", one), ("2", two)):
            scanner.start(watch, intake.of(station, scanner), lambda *_: None)
        yield Benches(intake, one, two)
    watch.close()


def flood(scanner: FakeScanner, count: int) -> list[str]:
    codes = [f"{scanner.name}-{number}" for number in range(count)]
    scanner.type("".join(f"{code}\r" for code in codes).encode())
    return codes


def test_a_scan_comes_with_its_station_and_scanner(benches: Benches) -> None:
    assert not benches.intake
    assert benches.intake.next() is None
    benches.one.scan("A")
    benches.two.scan("B")
    assert benches.intake
    assert benches.take(3) == [("1", "one", "A"), ("2", "two", "B")]
    assert not benches.intake


def test_flood_comes_whole_and_in_order(benches: Benches) -> None:
    sent = flood(benches.one, 100)
    benches.one.scan("late")
    assert benches.codes(102) == [*sent, "late"]


def test_scanner_far_ahead_is_left_unread_until_its_scans_are_taken(benches: Benches) -> None:
    for number in range(AHEAD):
        benches.one.scan(str(number))
    benches.one.scan("unread")
    assert benches.codes(AHEAD - 1) == [str(number) for number in range(AHEAD - 1)]
    benches.one.scan("unread, too")
    assert benches.codes(3) == [str(AHEAD - 1), "unread", "unread, too"]
    assert benches.codes(1) == []


def test_another_scanner_has_its_turn_within_a_flood(benches: Benches) -> None:
    """`faults.md#garbage-and-floods`, `faults.md#two-scanners-at-once`"""
    flood(benches.one, 300)
    flood(benches.two, 3)
    got = benches.codes(400)
    assert all(got.index(f"two-{number}") < AHEAD + 2 * (number + 1) for number in range(3))
    assert len(got) == 303


def test_scans_of_two_scanners_are_taken_in_the_order_of_their_coming(benches: Benches) -> None:
    """Also while a slow flush lasts: SAVE at one scanner comes after the units that another scanner read before."""
    for code in ("unit 1", "unit 2", "unit 3"):
        benches.one.scan(code)
    benches.two.scan("SAVE")
    benches.one.scan("unit 4")
    assert benches.codes(5) == ["unit 1", "unit 2", "unit 3", "SAVE", "unit 4"]


def test_scanner_that_waited_is_read_again(benches: Benches) -> None:
    flood(benches.one, AHEAD + 1)
    assert len(benches.codes(AHEAD + 1)) == AHEAD + 1
    benches.one.scan("again")
    assert benches.codes(1) == ["again"]

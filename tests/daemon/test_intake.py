"""Scans reach the scan path in each scanner's order, and nobody waits for the end of another scanner's flood."""

import asyncio
from collections.abc import Awaitable, Callable

from agent.daemon.intake import AHEAD, Intake
from agent.drivers.fake import FakeScanner
from agent.scan import Frame


class Path:
    """A scan path that deals with what it got only when told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.taken = 0

    def submit(self, station: str, _scanner: str, frame: Frame) -> None:
        self.got.append((station, frame.data.decode()))

    async def work(self, count: int) -> None:
        """Deal with so many, one at a time, each as soon as it has come."""
        for _ in range(count):
            while self.taken == len(self.got):
                await asyncio.sleep(0)
            self.taken += 1


def at_work(act: Callable[[Path, Intake, FakeScanner, FakeScanner], Awaitable[None]]) -> Path:
    """Two stations with a scanner each."""
    path = Path()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        intake = Intake(submit=path.submit, taken=lambda: path.taken, loop=loop)
        with FakeScanner(name="one") as one, FakeScanner(name="two") as two:
            for station, scanner in (("1", one), ("2", two)):
                scanner.start(loop, intake.of(station, scanner), lambda *_: None)
            await asyncio.wait_for(act(path, intake, one, two), 30)
            intake.close()

    asyncio.run(run())
    return path


def flood(scanner: FakeScanner, count: int) -> list[str]:
    codes = [f"{scanner.name}-{number}" for number in range(count)]
    scanner.type("".join(f"{code}\r" for code in codes).encode())
    return codes


def test_single_scans_go_on_at_once() -> None:
    async def act(path: Path, _intake: Intake, one: FakeScanner, two: FakeScanner) -> None:
        one.scan("A")
        two.scan("B")
        assert path.got == [("1", "A"), ("2", "B")]

    at_work(act)


def test_flood_comes_whole_and_in_order_and_a_few_at_a_time() -> None:
    sent: list[str] = []

    async def act(path: Path, _intake: Intake, one: FakeScanner, _two: FakeScanner) -> None:
        sent.extend(flood(one, 100))
        one.scan("late")
        assert len(path.got) == AHEAD
        await path.work(101)

    path = at_work(act)
    assert [code for _, code in path.got] == [*sent, "late"]


def test_another_scanner_has_its_turn_within_a_flood() -> None:
    async def act(path: Path, _intake: Intake, one: FakeScanner, two: FakeScanner) -> None:
        flood(one, 300)
        flood(two, 3)
        await path.work(303)

    got = at_work(act).got
    assert all(got.index(("2", f"two-{number}")) < AHEAD + 2 * (number + 1) for number in range(3))
    assert len(got) == 303


def test_scanner_that_waited_is_read_again() -> None:
    async def act(path: Path, _intake: Intake, one: FakeScanner, _two: FakeScanner) -> None:
        flood(one, AHEAD + 1)
        await path.work(AHEAD + 1)
        one.scan("again")
        await path.work(1)

    assert at_work(act).got[-1] == ("1", "again")


def test_after_the_end_nothing_is_handed_on() -> None:
    async def act(path: Path, intake: Intake, one: FakeScanner, _two: FakeScanner) -> None:
        flood(one, AHEAD + 5)
        intake.close()
        path.taken = AHEAD
        await asyncio.sleep(0.01)

    assert len(at_work(act).got) == AHEAD

"""However events arrive, they lead to the same tables as in order, one by one."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centre.ingest.transaction import go_on
from centre.link.received import Received
from centre.store.database import Database
from tests.centre.ingest.bench_work import Bench
from tests.centre.ingest.picture import empty, hurry, picture
from tests.centre.ingest.played import NOW, PlayedKiosk, changed, opened, renew_nothing, scanned, stand_in, store

EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def journals(choices: list[int]) -> list[Received]:
    """Return the messages of three kiosks, in order for each; two of them work on one order."""
    kiosks = [PlayedKiosk(f"dock-{number}", journal=f"{number:08d}") for number in range(3)]
    benches = [Bench("a", "SO-1"), Bench("b", "SO-1"), Bench("c", "SO/2 ü")]
    messages: list[Received] = []
    for place, choice in enumerate(choices):
        kiosk, bench = kiosks[choice % 3], benches[choice % 3]
        kiosk.time = f"2026-11-22T17:00:00.{place:03d}Z"
        events = bench.step(0 if kiosk.sequence == 0 else choice // 3, kiosk.sequence + 1)
        if bench.name != "c":  # who is named last for a role depends on what comes last
            events = [event for event in events if event.type not in ("order.assigned", "order.packing_confirmed")]
        messages += kiosk.write(*events, clock_synced=choice % 5 > 0)
    return [
        changed(message, type="kiosk.scan.guessed.v9") if number % 17 == 11 else message
        for number, message in enumerate(messages)
    ]


def by_batches(database: Database, messages: list[Received], sizes: list[int]) -> None:
    """Store messages in batches of these sizes, over and over again."""
    start = turn = 0
    while start < len(messages):
        size = sizes[turn % len(sizes)]
        stored = store(database, messages[start : start + size])
        while stored.has_more:
            stored = go_on(database, now=NOW, renew=renew_nothing)
        start, turn = start + size, turn + 1


@given(
    choices=st.lists(st.integers(0, 359), min_size=1, max_size=40),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    data=st.data(),
)
@EXAMPLES
def test_arrival_does_not_matter(database: Database, choices: list[int], sizes: list[int], data: Any) -> None:
    hurry(database)
    messages = journals(choices)
    empty(database)
    by_batches(database, messages, [1])
    in_order = picture(database)

    again = data.draw(st.lists(st.sampled_from(messages), max_size=10), label="again")
    stand_ins = [stand_in(one) for one in data.draw(st.lists(st.sampled_from(messages), max_size=3), label="stand-ins")]
    shuffled = data.draw(st.permutations([*messages, *again, *stand_ins]), label="arrival")
    empty(database)
    by_batches(database, shuffled, sizes)
    assert picture(database) == in_order


@given(data=st.data(), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5))
@EXAMPLES
def test_of_a_copied_journal_every_event_is_stored_once(database: Database, data: Any, sizes: list[int]) -> None:
    """Where a card was copied, and the copies restarted, the union of all branches is stored and counted."""
    hurry(database)
    empty(database)
    kiosk = PlayedKiosk()
    messages = kiosk.write(opened(), *(scanned(f"S{number}") for number in range(4)))
    for number in range(data.draw(st.integers(1, 3), label="copies")):
        copy = kiosk.copy(boot=f"{number:08d}-1")
        for start in range(2):
            copy.boot = f"{number}{start:07d}-1"
            messages += copy.write(*(scanned(f"C{number}{start}{each}") for each in range(3)))
    by_batches(database, data.draw(st.permutations(messages), label="arrival"), sizes)
    by_batches(database, messages, sizes)
    found = picture(database)
    assert {row[-1] for row in found["events"]} == {message.payload for message in messages}
    assert len(found["events"]) == len(messages)
    assert found["letters"] == []
    slots = [row[:5] for row in found["events"]]
    assert len(slots) == len(set(slots))

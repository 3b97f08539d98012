"""`LEADS_TO`, the arrows of the diagram in `workflow.md#state-table`, is exactly what scans do."""

import pytest

from agent.contract.printed_codes import Verb, command_text
from agent.scan import NO_READ
from agent.workflow import step
from agent.workflow.reply import Reply
from agent.workflow.state import Phase
from agent.workflow.table import LEADS_TO, TABLE, Act, Input
from tests.workflow.bench import BADGES, Bench
from tests.workflow.test_properties import MANIFESTS, UNITS, day_of, scan

SEEDS = range(120)
STEPS = 60

ASK_ROLE = command_text(Verb.ROLE, "PICK")
SAVE, CANCEL, CLOSE, OUT = map(command_text, (Verb.SAVE, Verb.CANCEL, Verb.CLOSE, Verb.OUT))
LABEL = "106141412345678908"
BOX_BEGUN = (BADGES["E7"], "SO-2", UNITS[0], SAVE)
RARE = (
    (*BOX_BEGUN, ASK_ROLE, BADGES["E8"]),
    (*BOX_BEGUN, ASK_ROLE, CANCEL),
    (*BOX_BEGUN, ASK_ROLE, OUT),
    (*BOX_BEGUN, CLOSE, "SO-2"),
    (*BOX_BEGUN, CLOSE, "SO-1", "SO-2"),
    (*BOX_BEGUN, LABEL, SAVE, LABEL),
)
"""Sequences that random days rarely contain."""


class WatchedTable(dict[tuple[Input, Phase], object]):
    """The table; `looked_up` is the last cell that was read."""

    looked_up: object = None

    def __getitem__(self, key: tuple[Input, Phase]) -> object:
        self.looked_up = super().__getitem__(key)
        return self.looked_up


class WatchedBench(Bench):
    """A bench that records which act changes the phase of a station from what to what."""

    def __init__(self, table: WatchedTable) -> None:
        super().__init__()
        self.table = table
        self.seen: set[tuple[Phase, Act, Phase]] = set()
        self.thorough = False
        for order, variants in MANIFESTS.items():
            self.order(order, *variants[0])

    def scan(
        self,
        code: str | bytes,
        *,
        station: str = "1",
        scanner: str = "left",
        after: float = 1.0,
        intact: bool = True,
        no_read: frozenset[str] = NO_READ,
    ) -> Reply:
        self.wait(after)
        before, self.table.looked_up = self.phase(station), None
        reply = super().scan(code, station=station, scanner=scanner, after=0, intact=intact, no_read=no_read)
        if self.phase(station) is not before:
            assert isinstance(self.table.looked_up, Act), f"{code!r} leaves {before} without an act"
            self.seen.add((before, self.table.looked_up, self.phase(station)))
        return reply


def test_acts_lead_where_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    table = WatchedTable(TABLE)
    monkeypatch.setattr(step, "TABLE", table)
    days = [day_of(seed, STEPS) for seed in SEEDS]
    days += [[scan(code, "1", "left", after=1.0, intact=True) for code in codes] for codes in RARE]
    seen = set()
    for day in days:
        bench = WatchedBench(table)
        for act in day:
            act(bench)
        seen |= bench.seen
    assert seen == {(before, act, after) for (before, act), places in LEADS_TO.items() for after in places}


def test_every_listed_act_stands_in_the_table_there() -> None:
    assert LEADS_TO.keys() <= {(phase, cell) for (_, phase), cell in TABLE.items()}

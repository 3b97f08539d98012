"""At most one revision of an order a second."""

import itertools

from agent.daemon.revision_pace import RevisionPace
from tests.workflow.bench import Bench, line


def manifests(count: int, order: str = "SO-1") -> list:  # type: ignore[type-arg]
    bench = Bench()
    found = []
    for revision in range(1, count + 1):
        bench.order(order, line("1", "CASE", revision), revision=revision)
        found.append(bench.catalogue.manifest(order))
    return found


def test_a_flood_of_revisions_is_taken_once_a_second_the_newest() -> None:
    """Rule: workflow.md#manifest-revisions."""
    pace, taken = RevisionPace(), []
    for number, manifest in enumerate(manifests(120)):
        now = number / 12
        taken += [(one.revision, now) for one in pace.take_due(now)]
        if pace.may_take(manifest, now, is_urgent=False):
            taken.append((manifest.revision, now))
    taken += [(one.revision, 11.0) for one in pace.take_due(11.0)]
    assert len(taken) == 11
    assert taken[-1][0] == 120
    assert all(later[1] - earlier[1] >= 1.0 for earlier, later in itertools.pairwise(taken))
    assert not pace


def test_an_urgent_one_is_taken_at_once_and_replaces_the_one_that_waits() -> None:
    """Rule: workflow.md#manifest-revisions."""
    pace = RevisionPace()
    one, two, three = manifests(3)
    assert pace.may_take(one, 0.0, is_urgent=False)
    assert not pace.may_take(two, 0.1, is_urgent=False)
    assert pace.may_take(three, 0.2, is_urgent=True)
    assert not pace
    assert pace.take_due(9.0) == []


def test_a_scan_can_have_the_one_that_waits() -> None:
    """Rule: workflow.md#manifest-revisions."""
    pace = RevisionPace()
    one, two = manifests(2)
    assert pace.may_take(one, 0.0, is_urgent=False)
    assert not pace.may_take(two, 0.1, is_urgent=False)
    assert pace.take("SO-2", 0.2) is None
    assert pace.take("SO-1", 0.2) is two
    assert pace.take("SO-1", 0.2) is None


def test_orders_do_not_wait_for_each_other() -> None:
    pace = RevisionPace()
    for manifest in (*manifests(1), *manifests(1, "SO-2")):
        assert pace.may_take(manifest, 0.0, is_urgent=False)

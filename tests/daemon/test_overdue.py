"""Decisions that wait until the journal can be written."""

from agent.daemon.overdue import VERDICTS_MAX, Overdue


def test_they_come_in_order_and_a_newer_one_replaces_the_one_that_waits() -> None:
    """Rule: mqtt.md#bounded-memory."""
    overdue, done = Overdue(), []
    for subject, name in [(("revision", "A"), "A1"), (("verdict", "v"), "v1"), (("revision", "A"), "A2")]:
        overdue.put(subject, lambda name=name: done.append(name))  # type: ignore[misc]
    assert len(overdue) == 2
    while overdue:
        overdue.take_first()()
    assert done == ["A2", "v1"]
    assert not overdue.has_dropped


def test_a_lower_revision_does_not_replace_a_higher_one() -> None:
    overdue, done = Overdue(), []
    overdue.put(("verdict", "v"), lambda: done.append(3), revision=3)
    overdue.put(("verdict", "v"), lambda: done.append(2), revision=2)
    overdue.take_first()()
    assert done == [3]


def test_of_many_verdicts_the_newest_wait_and_no_order_is_dropped() -> None:
    """Rule: mqtt.md#bounded-memory."""
    overdue, done = Overdue(), []
    overdue.put(("revision", "A"), lambda: done.append("A"))
    for number in range(VERDICTS_MAX + 5):
        overdue.put(("verdict", str(number)), lambda number=number: done.append(str(number)))  # type: ignore[misc]
    assert overdue.has_dropped
    assert len(overdue) == VERDICTS_MAX + 1
    while overdue:
        overdue.take_first()()
    assert done == ["A", *map(str, range(5, VERDICTS_MAX + 5))]

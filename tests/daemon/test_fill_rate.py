"""How fast the disk fills, measured over at least ten seconds."""

from agent.daemon.fill_rate import FillRate


def test_rate_is_what_came_between_two_looks() -> None:
    rate = FillRate()
    rate.update(100, 800.0, now=1000.0)
    assert rate.bytes_per_s == 0.0
    rate.update(160, 800.0, now=1030.0)
    assert rate.bytes_per_s == 1600.0
    rate.update(160, 800.0, now=1060.0)
    assert rate.bytes_per_s == 0.0


def test_looks_that_follow_each_other_at_once_change_nothing() -> None:
    rate = FillRate()
    rate.update(100, 800.0, now=1000.0)
    rate.update(160, 800.0, now=1030.0)
    for moment in range(1, 10):
        rate.update(160, 800.0, now=1030.0 + moment)
    assert rate.bytes_per_s == 1600.0, "a busy half minute is not forgotten for a quiet second"
    rate.update(190, 800.0, now=1045.0)
    assert rate.bytes_per_s == 1600.0

"""The scans of the benchmark `day`."""

import itertools

from bench.day import WRONG_EVERY, day, order_ids

SCANS = 5000


def test_a_day_has_as_many_scans_as_asked_for_and_the_same_every_time() -> None:
    scans = list(day(SCANS))
    assert len(scans) == SCANS
    assert scans == list(day(SCANS))


def test_one_scan_in_fifty_is_a_mistake() -> None:
    wrong = [code for code, signals in day(SCANS) if signals == {"reject"}]
    assert len(wrong) == SCANS // WRONG_EVERY


def test_no_scan_repeats_the_one_before_so_that_none_bounces() -> None:
    codes = [code for code, _ in day(SCANS)]
    assert all(code != after for code, after in itertools.pairwise(codes))


def test_every_order_that_is_opened_is_told_to_the_kiosk_and_packed_before_the_next() -> None:
    orders = set(order_ids(SCANS))
    opened: list[str] = []
    packed = 0
    for code, signals in day(SCANS):
        if code in orders:
            assert len(opened) == packed
            opened.append(code)
        packed += signals == {"confirmed"}
    assert len(opened) > 50
    assert len(set(opened)) == len(opened)


def test_no_device_is_counted_twice() -> None:
    units = [code for code, _ in day(SCANS) if code.isdigit()]
    assert len(units) > SCANS // 2
    assert len(set(units)) == len(units)

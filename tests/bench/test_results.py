"""Rows, tables and documents of results."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.results import Row, busy, cumulative, document, percentile, table

VALUES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=50)


@given(values=VALUES, share=st.floats(min_value=0, max_value=1))
def test_percentile_is_a_value_with_no_more_than_its_share_below(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value < found for value in values) <= share * len(values)


def test_percentile_of_a_hundred() -> None:
    hundred = list(range(100, 0, -1))
    assert (percentile(hundred, 0.5), percentile(hundred, 0.99), percentile(hundred, 1.0)) == (51, 100, 100)


@given(values=VALUES)
def test_cumulative_rises_to_all(values: list[float]) -> None:
    ordered, shares = cumulative(values)
    assert ordered == sorted(values)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_bound_is_for_the_ratio_of_the_medians() -> None:
    row = Row(what="scan", unit="us", ours=[300, 100, 200], reference=[100, 900, 50], at_most=2.0)
    assert row.value == 2.0
    assert row.is_met is True


@pytest.mark.parametrize(
    ("at_most", "at_least", "expected"),
    [(9.9, None, False), (10.0, None, True), (None, 10.1, False), (None, 10.0, True), (None, None, None)],
)
def test_without_a_reference_the_bound_is_for_ours(
    at_most: float | None, at_least: float | None, expected: bool | None
) -> None:
    assert Row(what="memory", unit="B", ours=[10.0], at_most=at_most, at_least=at_least).is_met is expected


def test_the_table_says_what_is_missed() -> None:
    rows = [
        Row(what="slow", unit="us", ours=[30.0], reference=[10.0], at_most=2.0),
        Row(what="fast", unit="/s", ours=[30.0], reference=[10.0], at_least=2.0),
        Row(what="told", unit="s", ours=[1.0]),
    ]
    _, slow, fast, told = table(rows).splitlines()
    assert slow.split()[-3:] == ["<=", "2", "MISSED"]
    assert fast.split()[-3:] == [">=", "2", "met"]
    assert "met" not in told
    assert "3.00" in slow


def test_the_document_keeps_every_round_and_sample() -> None:
    row = Row(what="scan", unit="us", ours=[3.0, 1.0], reference=[1.0], at_most=2.0, samples={"ours": [[1.0]]})
    found = document([row], {"cpu": "one"})
    assert found["machine"] == {"cpu": "one"}
    [kept] = found["rows"]
    assert kept["ours"] == [3.0, 1.0]
    assert kept["value"] == 2.0
    assert kept["samples"] == {"ours": [[1.0]]}


@pytest.mark.parametrize(("load", "is_busy"), [("0.40 0.1 0.1 1/90 7", False), ("1.01 0.1 0.1 1/90 7", True)])
def test_a_load_of_more_than_half_the_cores_is_told(load: str, is_busy: bool) -> None:
    assert (busy({"load": load, "cores": "2"}) is not None) is is_busy

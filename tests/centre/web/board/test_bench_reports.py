import pytest

from centre.web.board.bench_reports import HealthReport, StationReport, health_of, station_of, status_of


def test_fields_that_are_missing_or_unknown_do_not_matter() -> None:
    view = station_of('{"state": "weighing", "grams": 12, "box": {"id": "B", "colour": "red"}}')
    assert view is not None
    assert (view.state, view.signed_in, view.ordered) == ("weighing", False, None)
    assert health_of('{"uplink": {}, "journal": {}}') == HealthReport()


def test_ordered_is_scanned_and_pending() -> None:
    assert StationReport(scanned=13, pending=-1).ordered == 12


@pytest.mark.parametrize("text", [None, "", "{", "[]", '"x"', '{"state": 1}', "[" * 100_000])
def test_what_cannot_be_read_is_none(text: str | None) -> None:
    assert station_of(text) is None
    assert status_of(text) is None

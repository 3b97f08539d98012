"""The rows of `test_field.py` through real daemons: pseudo-terminals and event nodes, signals, events, health."""

import pytest

from tests.field.corpus import Row
from tests.field.kiosks import GROUPS, Outcomes, group_of, run_group


def _marked(row: Row) -> object:
    marks = [pytest.mark.xfail(reason=f"waits for {row.waits}", strict=True)] if row.waits is not None else []
    return pytest.param(row, marks=marks, id=str(row))


def _outcomes(group: str, factory: pytest.TempPathFactory) -> Outcomes:
    return run_group(group, factory.getbasetemp() / f"field-{list(GROUPS).index(group)}")


# In the order of the groups, so that a run that is stopped has started few daemons.
@pytest.mark.parametrize("row", [_marked(row) for rows in GROUPS.values() for row in rows])
def test_row(row: Row, tmp_path_factory: pytest.TempPathFactory) -> None:
    _outcomes(group_of(row), tmp_path_factory).check(row)


@pytest.mark.parametrize("group", [name for name, rows in GROUPS.items() if any(row.waits is None for row in rows)])
def test_daemon_keeps_the_contract(group: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert _outcomes(group, tmp_path_factory).failure is None

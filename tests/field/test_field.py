"""Real-world inputs, each through the real driver, framing, classification and step, in memory.

`test_daemon.py` has the same rows through the real daemon. A row that waits for a rule is expected to fail, and to fail
only until the rule is built: who builds it removes the mark.
"""

import pytest

from tests.field.corpus import ROWS, Row, check
from tests.field.still import answer_of


def _marked(row: Row) -> object:
    waits = row.waits is not None and row.waits_in is None
    marks = [pytest.mark.xfail(reason=f"waits for {row.waits}", strict=True)] if waits else []
    return pytest.param(row, marks=marks, id=str(row))


@pytest.mark.parametrize("row", [_marked(row) for row in ROWS])
def test_row(row: Row) -> None:
    check(row, answer_of(row))


def test_ids_are_unique() -> None:
    ids = [str(row) for row in ROWS]
    assert len(ids) == len(set(ids))
    assert all(len(one) <= 60 for one in ids), "an id is also the id of an order"

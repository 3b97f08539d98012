"""Errors and the exit codes they end with."""

import pytest

from centre.centre_errors import (
    CentreBusy,
    DatabaseDown,
    DatabaseRefused,
    LeaseLost,
    LinkDown,
    Refused,
    SettingsRefused,
)
from centre.exit_status import ExitStatus, exit_status_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsRefused(["a: b"]), 1),
        (Refused("no"), 1),
        (LeaseLost("another centre"), 1),
        (DatabaseRefused("newer"), 3),
        (DatabaseDown("gone"), 69),
        (LinkDown("gone"), 69),
        (CentreBusy("another"), 75),
        (RuntimeError("nobody expected it"), 70),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_each_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_status_of(error) == code


def test_no_code_stands_twice() -> None:
    assert len({code.value for code in ExitStatus}) == len(ExitStatus.__members__)

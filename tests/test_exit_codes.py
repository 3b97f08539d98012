"""Errors and the exit codes they end with."""

import pytest

from agent.errors import (
    CacheDamaged,
    ConfigError,
    DeviceError,
    JournalBusy,
    JournalDamaged,
    JournalFault,
    KioskError,
)
from agent.exit_codes import ExitCode, exit_code_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(["a.b: expected 1, found 2"]), 1),
        (DeviceError("no such pin"), 69),
        (JournalBusy("another daemon runs"), 75),
        (JournalFault("read-only"), 1),
        (CacheDamaged("reference.db"), 1),
        (KioskError("anything else with a text for a person"), 1),
        (JournalDamaged("/x/1", 7, "bad frame"), 3),
        (RuntimeError("nobody expected it"), 70),
        (OSError("nor this"), 70),
        (MemoryError(), 70),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_each_error_has_its_exit_code(error: BaseException, code: int) -> None:
    """`commands.md#exit-codes`"""
    assert exit_code_of(error) == code


def test_no_code_stands_twice() -> None:
    assert len({code.value for code in ExitCode}) == len(ExitCode.__members__)

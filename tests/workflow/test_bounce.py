"""A code that bounces (`scanning.md#bounce`)."""

from typing import Any

import pytest

from agent.contract.events import Accepted
from agent.contract.printed_codes import Verb, command_text
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import WorkflowRules
from agent.workflow.reply import Reply
from tests.workflow.bench import (
    AGAIN,
    BADGES,
    BOXED,
    OK,
    PROMPT,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)
BAD = ONE[:-1] + str((int(ONE[-1]) + 1) % 10)
QTY_0 = command_text(Verb.QTY, "0")


def opened(*lines: dict[str, Any], **more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", *(lines or (line("1", "P13", 3), line("2", "CASE", 9, serialized=False))), **more)
    bench.opened("SO-1")
    return bench


@pytest.mark.parametrize(
    ("code", "first", "then"),
    [
        (ONE, OK, OK),
        (TWO + "0", refused(Reason.WRONG_BARCODE), refused(Reason.WRONG_BARCODE)),
        (BAD, refused(Reason.BAD_CHECK_DIGIT), refused(Reason.BAD_CHECK_DIGIT)),
        ("HELLO", refused(Reason.UNKNOWN_CODE), refused(Reason.UNKNOWN_CODE)),
        (BADGES["E8"], OK, OK),
        ("CASE", OK, AGAIN),
        ("P13", OK, AGAIN),
        (command_text(Verb.QTY, "3"), PROMPT, AGAIN),
        (command_text(Verb.SAVE), refused(Reason.BOX_EMPTY), AGAIN),
        (command_text(Verb.ROLE, "PICK"), PROMPT, AGAIN),
        (command_text(Verb.WHERE), Reply(signal=Signal.WHERE, pending=12), AGAIN),
        (QTY_0, refused(Reason.BAD_ARGUMENT), AGAIN),
    ],
)
def test_bounce_changes_nothing_and_is_no_event(code: str, first: Reply, then: Reply) -> None:
    """`scanning.md#bounce`"""
    bench = opened()
    assert bench.scan(code) == first
    before = bench.state
    for _ in range(3):
        assert bench.scan(code, after=0.4) == then
        assert bench.new == []
    assert bench.state == before


def test_bounce_of_save_does_not_confirm_the_box() -> None:
    """`scanning.md#bounce`"""
    bench = opened()
    bench.scan(ONE)
    assert [bench.do("SAVE"), bench.do("SAVE", after=0.3)] == [BOXED, AGAIN]
    assert bench.do("SAVE", after=0.6).signal is Signal.SAVED


def test_bounce_is_over_after_its_time() -> None:
    """`scanning.md#bounce`"""
    bench = opened()
    bench.scan("CASE")
    assert bench.scan("CASE", after=0.5) == AGAIN
    assert bench.scan("CASE", after=0.51) == OK
    assert bench.here.total_scanned == 2


def test_bounce_time_is_a_setting() -> None:
    """`scanning.md#bounce`"""
    bench = Bench(rules=WorkflowRules(bounce_s=0.0))
    bench.order("SO-1", line("1", "CASE", 9, serialized=False))
    bench.opened("SO-1")
    assert [bench.scan("CASE", after=0.1), bench.scan("CASE", after=0.1)] == [OK, OK]
    assert bench.scan("CASE", after=0.0) == OK, "two that were read at once are two as well"


def test_bounce_is_each_scanners_own() -> None:
    """`scanning.md#bounce`"""
    bench = opened()
    bench.scan("CASE")
    assert bench.scan("CASE", scanner="right", after=0.1) == OK
    bench.scan(ONE)
    assert bench.scan(ONE, scanner="right", after=0.1) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)


def test_bounce_is_of_the_code_just_read_only() -> None:
    """`scanning.md#bounce`"""
    bench = opened()
    bench.scan("CASE")
    bench.scan(ONE, after=0.1)
    assert bench.scan("CASE", after=0.1) == OK
    assert bench.last(Accepted).order_scanned == 3


def test_bounce_is_what_repeat_gives() -> None:
    """`scanning.md#bounce`"""
    bench = opened()
    bench.scan(ONE)
    bench.scan(ONE, after=0.1)
    assert bench.do("REPEAT") == OK

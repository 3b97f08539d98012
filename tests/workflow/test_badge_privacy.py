"""A badge never leaves the kiosk (`scanning.md#a-badge-never-leaves-the-kiosk`)."""

import json
from collections.abc import Callable

import pytest

from agent.contract.events import Rejected
from agent.contract.printed_codes import badge_text
from agent.contract.reasons import Reason
from agent.workflow.badge_privacy import badge_mark
from tests.workflow.bench import BADGES, PROMPT, Bench, imei, line

STRANGER = badge_text("STRANGER1")


def bench() -> Bench:
    made = Bench()
    made.order("SO-1", line("1", "P13", 3, units=[[imei(1)], ["ZB998877"]]), line("2", "P14", 3, serial_length=[5, 12]))
    made.order("SO-2", line("1", "CARD-8", 1, serialized=False))
    return made


def signed_out() -> Bench:
    made = bench()
    made.opened("SO-1")
    made.do("OUT")
    return made


def scanning() -> Bench:
    made = bench()
    made.opened("SO-1")
    return made


def assigning() -> Bench:
    made = scanning()
    assert made.do("ROLE", "PACK") == PROMPT
    return made


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (assigning, BADGES["E9"]),
        (scanning, STRANGER),
        (scanning, "]C0" + STRANGER),
        (scanning, STRANGER.lower()),
        (scanning, "]Q1" + BADGES["E7"]),
        (scanning, STRANGER[:-1]),
        (scanning, "ZBANYTHING-ELSE"),
        (signed_out, STRANGER),
        (signed_out, BADGES["E8"]),
        (signed_out, "EMP-00471"),
        (signed_out, "EMP00471"),
        (signed_out, "\x02EMP-00471"),
        (signed_out, "https://staff.example/01/0042"),
        (assigning, "EMP-00471"),
        (assigning, "EMP00471"),
    ],
)
def test_refused_badge_is_hidden(at: Callable[[], Bench], code: str) -> None:
    """`scanning.md#a-badge-never-leaves-the-kiosk`"""
    made = at()
    assert made.scan(code).reason is not None
    hidden = made.last(Rejected).code
    assert hidden.startswith("badge:")
    assert len(hidden) == 14
    documents = b"".join(document for commit in made.commits for document in commit.documents)
    assert json.dumps(code)[1:-1].upper().encode() not in documents.upper()


@pytest.mark.parametrize("data", [b"ZB7Q4M", b"]C0ZB7Q4M", b"zb\xff\xfe"])
def test_badge_cut_short_is_hidden_everywhere(data: bytes) -> None:
    """`scanning.md#a-badge-never-leaves-the-kiosk`"""
    made = scanning()
    made.scan(data, intact=False)
    assert made.last(Rejected).code.startswith("badge:")


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (scanning, "EMP-00471"),
        (signed_out, imei(1)),
        (signed_out, imei(9)),
        (signed_out, "SO-1"),
        (signed_out, "ZB998877"),
        (signed_out, "NOREAD"),
        (signed_out, "9506000134352"),
        (scanning, "P99"),
    ],
)
def test_other_refused_codes_are_told(at: Callable[[], Bench], code: str) -> None:
    """`scanning.md#a-badge-never-leaves-the-kiosk`"""
    made = at()
    assert made.scan(code).reason is not None
    assert made.last(Rejected).code == code


def test_same_badge_has_the_same_mark() -> None:
    """`scanning.md#a-badge-never-leaves-the-kiosk`"""
    made = signed_out()
    marks = set()
    for code in (STRANGER, STRANGER.lower(), "]C0" + STRANGER):
        assert made.scan(code, after=2.0).reason is Reason.BADGE_UNKNOWN
        marks.add(made.last(Rejected).code)
    assert len(marks) == 1
    assert badge_mark("CARD-7", b"one") != badge_mark("CARD-7", b"another")
    assert badge_mark("CARD-7", b"one") != badge_mark("CARD-8", b"one")

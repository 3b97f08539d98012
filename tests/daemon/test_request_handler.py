"""Requests with any content (`mqtt.md#requests`): each gets a short answer, and none does harm."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.contract.kiosk_health import KioskHealth
from agent.contract.requests import Request
from agent.daemon.request_handler import RequestHandler
from agent.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(tmp_path)
    yield journal
    journal.close()


def _no_health() -> KioskHealth:
    raise AssertionError("nobody asked for it")


class Asked:
    """Carries out requests and keeps the answers."""

    def __init__(self, journal: Journal) -> None:
        self.answers: list[bytes] = []
        self.resent: list[tuple[int, int]] = []
        self._requests = RequestHandler(
            respond=lambda _transaction, answer: self.answers.append(answer),
            health=_no_health,
            identify=lambda: None,
            reload=lambda: None,
            journal=lambda: journal,
            resend=lambda first, last: self.resent.append((first, last)),
        )

    def take(self, name: str, **fields: object) -> dict[str, Any]:
        self._requests.take(Request(name=name, transaction=f"t{len(self.answers)}", fields=fields))
        answer: dict[str, Any] = json.loads(self.answers[-1])
        return answer


@pytest.mark.parametrize("bound", ["9" * 5000, "1" * 13, "-1", "", "1.5", "٣", "²", " 1", 1, None, ["1"]])
def test_resend_with_bounds_that_are_no_sequences_is_refused(journal: Journal, bound: object) -> None:
    asked = Asked(journal)
    for fields in ({"from": bound, "through": "1"}, {"from": "1", "through": bound}):
        assert not asked.take("resend", journal=journal.id, **fields)["ok"]
    assert asked.resent == []


def test_what_a_request_carries_does_not_swell_the_remembered_answer(journal: Journal) -> None:
    asked = Asked(journal)
    for answer in (
        asked.take("resend", journal="J" * 200_000, **{"from": "1", "through": "1"}),
        asked.take("R" * 60_000),
    ):
        assert not answer["ok"]
    assert all(len(answer) < 1000 for answer in asked.answers)

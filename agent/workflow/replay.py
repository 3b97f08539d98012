"""From the journal's commits back to the state (`workflow.md#restart-keeps-the-state`). Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from agent.contract.cloudevents import event_of, private_of
from agent.contract.events import Event
from agent.workflow.fold import fold
from agent.workflow.state import State
from agent.workflow.state_changes import EventPosition

__all__ = ["Committed", "fold_commit", "private_text", "replay"]


class Committed(Protocol):
    """One commit of the journal. `position` and `sequence` are those of its first event."""

    @property
    def journal(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def documents(self) -> tuple[bytes, ...]: ...
    @property
    def private(self) -> bytes: ...


def private_text(events: Sequence[Event]) -> bytes:
    """Return the private fields of a commit's events, which the journal keeps outside the published documents.

    They are JSON, keyed by the number of the event in the commit; empty if no event has any.
    """
    kept: dict[str, dict[str, Any]] = {}
    for number, event in enumerate(events):
        if event.private and (private := private_of(event)):
            kept[str(number)] = private
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode() if kept else b""


def fold_commit(state: State, commit: Committed) -> State:
    """Return the state after a commit. Raise ValueError, KeyError or TypeError if it cannot be read or folded."""
    private: Mapping[str, Mapping[str, Any]] = json.loads(commit.private) if commit.private else {}
    for number, document in enumerate(commit.documents):
        event = event_of(json.loads(document), private.get(str(number), {}))
        at = EventPosition.in_commit(number, journal=commit.journal, position=commit.position, sequence=commit.sequence)
        state = fold(state, event, at)
    return state


def replay(state: State, commits: Iterable[Committed]) -> State:
    """Return the state after these commits. Raise like `fold_commit`."""
    for commit in commits:
        state = fold_commit(state, commit)
    return state

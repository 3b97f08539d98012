"""From the journal's commits back to the state. Pure but for the parsing of documents."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from agent.contract.cloudevents import event_of, private_of
from agent.contract.events import Event
from agent.workflow.fold import At, fold
from agent.workflow.state import State

__all__ = ["Committed", "fold_commit", "private_text", "replay"]


class Committed(Protocol):
    """One commit as the journal tells it; position and sequence are those of its first event."""

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
    """What the journal keeps beside the documents of one commit: by event number, as JSON; empty if nothing."""
    kept: dict[str, dict[str, Any]] = {}
    for number, event in enumerate(events):
        if event.private and (private := private_of(event)):
            kept[str(number)] = private
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode() if kept else b""


def fold_commit(state: State, commit: Committed) -> State:
    """The state after a commit. Raises ValueError, KeyError or TypeError for what this version did not write."""
    private: Mapping[str, Mapping[str, Any]] = json.loads(commit.private) if commit.private else {}
    for number, document in enumerate(commit.documents):
        event = event_of(json.loads(document), private.get(str(number), {}))
        if event is not None:
            at = At.in_commit(number, journal=commit.journal, position=commit.position, sequence=commit.sequence)
            state = fold(state, event, at)
    return state


def replay(state: State, commits: Iterable[Committed]) -> State:
    for commit in commits:
        state = fold_commit(state, commit)
    return state

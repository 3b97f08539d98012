"""The events of a commit while they are decided."""

from agent.contract.events import Cause, SignedIn
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.state import State


def sign_in(operator: str) -> SignedIn:
    return SignedIn(station="1", by=operator, operator=operator, cause=Cause.BADGE)


def pending(state: State) -> PendingCommit:
    return PendingCommit(state=state, journal="3F0C9A1B", next_sequence=1, position=1)


def test_recorded_event_is_folded_at_once() -> None:
    """`workflow.md#restart-keeps-the-state`"""
    commit = pending(State())
    commit.record(sign_in("E7"))
    assert commit.state.station("1").operator == "E7"
    commit.record(sign_in("E8"))
    assert commit.state.station("1").operator == "E8"
    assert [event.by for event in commit.events] == ["E7", "E8"]
    assert commit.state.journals == {"3F0C9A1B"}


def test_undo_goes_back_to_the_state_before_the_first_event() -> None:
    first = pending(State())
    first.record(sign_in("E7"))
    commit = pending(first.state)
    commit.record(sign_in("E8"))
    commit.undo()
    assert commit.events == []
    assert commit.state == first.state
    commit.record(sign_in("E9"))
    assert commit.state.station("1").operator == "E9"

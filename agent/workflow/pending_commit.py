"""The events of one commit while they are decided, and the state after them."""

from msgspec import Struct, field

from agent.contract.events import Event
from agent.workflow.fold import fold
from agent.workflow.state import State
from agent.workflow.state_changes import EventPosition

__all__ = ["PendingCommit"]


class PendingCommit(Struct, kw_only=True, eq=False):
    """The events recorded so far, and `state` with those events folded into it.

    `record` is the only way to change the state. Each event is folded at once, so the next event can carry the counts
    after this one, and a replay of the journal gives the same state.
    """

    state: State
    journal: str
    """The journal's id."""
    next_sequence: int
    """The sequence number that the first event gets."""
    position: int
    """The position in the journal that the first event gets."""
    events: list[Event] = field(default_factory=list)
    _before: State = State()

    def __post_init__(self) -> None:
        self._before = self.state

    def record(self, event: Event) -> None:
        """Append an event and fold it into the state."""
        at = EventPosition.in_commit(
            len(self.events), journal=self.journal, position=self.position, sequence=self.next_sequence
        )
        self.events.append(event)
        self.state = fold(self.state, event, at)

    def undo(self) -> None:
        """Drop all events recorded so far."""
        self.events.clear()
        self.state = self._before

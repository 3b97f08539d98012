"""The context of one step at a station: what the step may look at, and where it records its events."""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from agent.contract.events import Event
from agent.contract.manifest import Role
from agent.workflow.lookups import CatalogueLookups
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.state import Order, StationState
from agent.workflow.transient_state import TransientState

__all__ = ["StepContext", "WorkflowRules"]


class WorkflowRules(Struct, frozen=True, kw_only=True):
    """The `[workflow]` section of the configuration (`settings.md#workflow-rules`), with times in seconds."""

    required_roles: tuple[Role, ...] = tuple(Role)
    packer_confirms: bool = True
    idle_sign_out_s: float = 600.0
    bounce_s: float = 0.5


E_ = TypeVar("E_", bound=Event)


class StepContext(PendingCommit, kw_only=True, eq=False):
    """One step at `station_id`: a scan, or the passing of time.

    `now` is in monotonic seconds. After the step the caller commits `events`, then adopts `state` and `transient`.
    """

    station_id: str
    catalogue: CatalogueLookups
    rules: WorkflowRules
    now: float
    badge_secret: bytes
    """The random key under which refused badges are told (`scanning.md#a-badge-never-leaves-the-kiosk`)."""
    transient: TransientState
    """Replaced by a changed copy during the step."""
    scanner: str | None = None
    """The scanner's name; None while no scan is decided."""
    symbology: str | None = None
    """The AIM identifier of the scan, without the bracket."""
    data: bytes = b""
    """The scan without its AIM identifier."""
    first_cancel_at: float | None = None
    """When CANCEL came, if it was the scan before this one and gave `prompt`."""
    station: StationState = StationState()
    """The station, with the recorded events folded in. Set by `record` and `undo`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.station = self.state.station(self.station_id)

    def record(self, event: Event) -> None:
        super().record(event)
        self.station = self.state.station(self.station_id)

    def undo(self) -> None:
        super().undo()
        self.station = self.state.station(self.station_id)

    @property
    def order(self) -> Order:
        """The order that is open at the station. Raise KeyError if there is none; the state table prevents that."""
        return self.state.orders[self.station.order or ""]

    def emit(self, make: Callable[..., E_], *, station: str | None = None, **values: Any) -> E_:
        """Record the event `make(**values)`, with the station (this one by default) and its operator filled in."""
        name = station or self.station_id
        event = make(station=name, by=self.state.station(name).operator, **values)
        self.record(event)
        return event

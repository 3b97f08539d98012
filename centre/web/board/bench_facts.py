"""All that is known of one station, as the board judges it."""

from msgspec import Struct

from centre.web.board.bench_reports import HealthReport, StationReport, StatusReport

__all__ = ["Bench", "OpenHold", "RefusalCount"]


class RefusalCount(Struct, frozen=True, kw_only=True):
    """The refused scans of a bench within the last minutes."""

    count: int
    reason: str
    """The most frequent one."""
    seen: str | None
    """What was scanned instead, if the newest of these refusals says it."""
    since: str
    """When the first one was."""


class OpenHold(Struct, frozen=True, kw_only=True):
    """A hold that has not ended: of one unit, or of the whole order."""

    unit: str | None = None
    reason: str | None = None


class Bench(Struct, frozen=True, kw_only=True):
    """All that is known of one station."""

    site: str
    kiosk: str
    station: str
    view: StationReport | None = None
    view_received_at: str | None = None
    status: StatusReport | None = None
    health: HealthReport | None = None
    health_received_at: str | None = None
    """None: only a retained copy has come, whose age is unknown."""
    refusals: RefusalCount | None = None
    hold: OpenHold | None = None

    @property
    def changed_at(self) -> str | None:
        """When the view last changed; by the centre's clock if the kiosk's is not set."""
        trusted = self.health is None or self.health.clock_synced
        return (self.view.time if trusted and self.view is not None else None) or self.view_received_at

    @property
    def heard_at(self) -> str | None:
        """When the kiosk was last heard: the receipt of its health, or what its last messages say of their time.

        The receipt of other messages proves nothing: the broker may have kept them.
        """
        said = [report.time for report in (self.health, self.view) if report is not None and report.time]
        return self.health_received_at or max(said, default=None)

"""What a kiosk publishes that is no event, as strict models: `status`, `health`, station views, responses."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from harness.models import Count, Flow, Id, Journal, Operator, Positive, Reason, Signal, Strict, Time

__all__ = ["Health", "Response", "StationView", "Status"]


class Status(Strict):
    """A will has no `since`: it is made before it is needed."""

    state: Literal["online", "offline", "failed"]
    reason: str | None = None
    version: str
    journal: Journal | None = None
    since: Time | None = None
    connection: Positive

    @model_validator(mode="after")
    def _dated(self) -> "Status":
        if self.state == "online" and (self.since is None or self.journal is None):
            raise ValueError("online, but not since when or with which journal")
        return self


class Health(BaseModel):
    """Only these are checked here; the schema checks the rest."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    time: Time
    connection: Positive


class BoxView(Strict):
    id: Id
    units: Count
    size: Operator | None = None
    label: str | None = None


class LastView(Strict):
    signal: Signal
    reason: Reason | None = None


class StationView(Strict):
    state: Literal["ready", "assigning", "scanning", "boxing", "packing"]
    signed_in: bool
    operator: Operator | None = None
    order: Id | None = None
    mode: Flow | None = None
    product: Id | None = None
    scanned: Count | None = None
    pending: int | None = None
    box: BoxView | None = None
    last: LastView | None = None
    held: bool
    time: Time
    connection: Positive


class Response(BaseModel):
    """Only `transaction` is checked here; the schema checks the rest."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    transaction: str

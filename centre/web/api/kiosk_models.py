"""What the resource of a kiosk consists of."""

from typing import Any

from pydantic import BaseModel, Field

__all__ = ["AnswerModel", "KioskModel"]

_SEQUENCE = "As in its events: 12 digits."


class HoleModel(BaseModel):
    """Events that the kiosk no longer has and the centre never got; both ends included."""

    first: str
    last: str


class JournalModel(BaseModel):
    """One run of events of a kiosk."""

    journal: str
    branch: int = Field(description="0; more for an old copy of the card that went on by itself.")
    through: str = Field(description=f"All events up to here are stored and counted. {_SEQUENCE}")
    highest: str = Field(description="The highest one stored. What is beyond `through` waits for a gap to close.")
    holes: list[HoleModel]
    first_event_at: str
    last_event_at: str


class StationModel(BaseModel):
    """What a station last said of itself (`mqtt.md#station-view`)."""

    station: str
    received_at: str
    view: dict[str, Any] | None


class KioskModel(BaseModel):
    """One kiosk: what it says of itself, and what the centre has of it."""

    site: str
    kiosk: str
    state: str = Field(
        description="`unknown`: it has sent no status.",
        examples=["online", "offline", "failed", "unknown", "written_off", "retired"],
    )
    version: str | None = Field(description="Of its agent.")
    journal: str | None = Field(description="The journal that it writes, or wrote last.")
    through: str | None = Field(description=f"All events of that journal up to here are stored. {_SEQUENCE}")
    backlog: int | None = Field(description="How many events wait at it: as it said last, less what was stored since.")
    holes: list[HoleModel] = Field(description="In all its journals.")
    journals: list[JournalModel] = Field(description="Newest first.")
    stations: list[StationModel]
    status: dict[str, Any] | None = Field(description="Its newest `status` message.")
    health: dict[str, Any] | None = Field(description="Its newest `health` message.")
    health_received_at: str | None = Field(description="Null: only a retained copy has come, of unknown age.")
    written_off_at: str | None
    retired_at: str | None


class AnswerModel(BaseModel):
    """What a kiosk answered to a request (`mqtt.md#requests`)."""

    ok: bool
    error: str | None

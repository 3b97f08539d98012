"""`/units`: where a device is and what happened to it."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, Field

from centre.changes import Change
from centre.moments import moment
from centre.orders.unit_marks import UnitNotKnown, mark_returned
from centre.orders.unit_status import read_unit
from centre.web.access import OrderWriter, Reader, ServicesOf
from centre.web.json_responses import json_response
from centre.web.paths import Segment
from centre.web.problem_details import Problem, wrong_field

__all__ = ["router"]

MAX_IDENTIFIER = 128

router = APIRouter(prefix="/api/v1/units", tags=["units"])

UnitId = Annotated[
    Segment, Path(description="Any identifier of the device: IMEI, MEID, serial number.", examples=["490154203237518"])
]


class StateOfUnit(StrEnum):
    """Where a device is in its life."""

    COUNTED = "counted"
    PACKED = "packed"
    VOIDED = "voided"
    HELD = "held"
    RETURNED = "returned"
    UNKNOWN = "unknown"


class PlaceModel(BaseModel):
    """A box that the device lies in."""

    order: str
    line: str
    sku: str
    box: str
    site: str
    kiosk: str


class ReturnModel(BaseModel):
    """When somebody said that the device has come back."""

    at: str
    by: str


class UnitEventModel(BaseModel):
    """An event that names the device."""

    position: int
    type: str
    time: str
    site: str
    kiosk: str
    station: str | None
    operator: str | None
    order: str | None
    box: str | None
    reason: str | None


class UnitModel(BaseModel):
    """A device: where it is, and what happened to it."""

    unit: str = Field(description="The identifier that was asked for.")
    identifiers: list[str] = Field(description="All its identifiers that are known.")
    state: StateOfUnit = Field(description="`unknown`: no kiosk has told of it.")
    order: str | None
    box: str | None
    places: list[PlaceModel] = Field(description="All boxes that it is counted in: one, unless there is a conflict.")
    returned: list[ReturnModel]
    history: list[UnitEventModel] = Field(description="Oldest first; the newest 1,000.")


@router.get("/{identifier}", summary="Find a device", response_model=UnitModel)
def get_unit(identifier: UnitId, services: ServicesOf, _caller: Reader) -> Response:
    """Where this device is: order, box, and its history with kiosk, station, operator and time."""
    _check(identifier)
    with services.database.reading() as connection:
        return json_response(read_unit(connection, identifier))


@router.post("/{identifier}/returned", summary="Mark a device as returned", response_model=UnitModel)
def post_returned(identifier: UnitId, services: ServicesOf, caller: OrderWriter) -> Response:
    """Says that the device has come back, so that it may be sold again."""
    _check(identifier)
    try:
        with services.database.writing() as connection:
            mark_returned(connection, identifier, actor=caller.actor, now=moment(services.now()))
            resource = read_unit(connection, identifier)
    except UnitNotKnown as exc:
        raise Problem(404, f"No kiosk has told of the device {identifier!a}.") from exc
    services.changes.tell(Change.CONFLICTS)
    return json_response(resource)


def _check(identifier: str) -> None:
    if len(identifier) > MAX_IDENTIFIER:
        raise wrong_field("identifier", f"Must have at most {MAX_IDENTIFIER} characters.")

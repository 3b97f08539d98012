"""`/boxes`: one box."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import Field

from centre.orders.order_reading import read_box
from centre.web.access import Reader, ServicesOf
from centre.web.api.order_models import BoxModel
from centre.web.json_responses import json_response
from centre.web.paths import Segment
from centre.web.problem_details import Problem

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/boxes", tags=["boxes"])

BoxId = Annotated[Segment, Path(description="The id that the kiosk gave it.", examples=["3F0C9A1B000017"])]


class BoxOfOrderModel(BoxModel):
    """One box, and the order that it belongs to."""

    order: str
    voided_by: str | None = Field(description="The user who voided it in the centre; null if the kiosk did.")


@router.get("/{box}", summary="Read a box", response_model=BoxOfOrderModel)
def get_box(box: BoxId, services: ServicesOf, _caller: Reader) -> Response:
    """What lies in a box, and where it belongs."""
    with services.database.reading() as connection:
        resource = read_box(connection, box)
    if resource is None:
        raise Problem(404, f"There is no box {box!a}.")
    return json_response(resource)

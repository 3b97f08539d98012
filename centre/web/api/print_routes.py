"""`/orders/{order}/packing-list` and `…/ticket`: what is printed for an order."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from centre.web.access import Reader, ServicesOf
from centre.web.api.order_routes import OrderId
from centre.web.board.order_page_routes import packing_list_response, ticket_response
from centre.web.board.page_rendering import Pages
from centre.web.board.viewer import Viewer

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/orders", tags=["orders"])


class PrintFormat(StrEnum):
    """The form of a packing list."""

    HTML = "html"
    CSV = "csv"


@router.get(
    "/{order}/packing-list",
    summary="Print a packing list",
    response_class=HTMLResponse,
    responses={200: {"description": "A page to print.", "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def get_packing_list(
    order: OrderId,
    request: Request,
    services: ServicesOf,
    caller: Reader,
    format: Annotated[PrintFormat, Query(description="A page to print, or a table.")] = PrintFormat.HTML,
) -> Response:
    """What lies in the order's boxes, with every serial number."""
    is_csv = format is PrintFormat.CSV
    return packing_list_response(_pages(request), request, order, services, Viewer(caller=caller), is_csv=is_csv)


@router.get("/{order}/ticket", summary="Print a ticket", response_class=HTMLResponse)
def get_ticket(order: OrderId, request: Request, services: ServicesOf, caller: Reader) -> Response:
    """The paper that starts the work: the order's barcode, its lines and quantities."""
    return ticket_response(_pages(request), request, order, services, Viewer(caller=caller))


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages

"""`/orders/{order}/cancel`, `…/withdraw`, `…/reopen`."""

from typing import Protocol

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import Connection

from centre.changes import Change
from centre.moments import moment
from centre.orders import order_lifecycle
from centre.orders.order_lifecycle import OrderNotKnown
from centre.web.access import OrderWriter, ServicesOf
from centre.web.api.order_models import OrderModel
from centre.web.api.order_routes import OrderId
from centre.web.etags import IfMatch
from centre.web.order_responses import order_response, read_published_order, require_version
from centre.web.problem_details import Problem
from centre.web.scopes import Caller
from centre.web.services import Services

__all__ = ["router"]

router = APIRouter(
    prefix="/api/v1/orders",
    tags=["orders"],
    responses={409: {"description": "The order is not in a state in which that is possible."}},
)


class OrderAction(Protocol):
    """One of the functions of `order_lifecycle`."""

    def __call__(self, connection: Connection, order: str, /, *, actor: str, now: str) -> object: ...


@router.post("/{order}/cancel", summary="Cancel an order", response_model=OrderModel)
def cancel_order(order: OrderId, services: ServicesOf, caller: OrderWriter, if_match: IfMatch = None) -> Response:
    """Closes the order at every kiosk. What was packed of it stays known."""
    return _done(order_lifecycle.cancel, order, services, caller, if_match)


@router.post("/{order}/withdraw", summary="Withdraw an order", response_model=OrderModel)
def withdraw_order(order: OrderId, services: ServicesOf, caller: OrderWriter, if_match: IfMatch = None) -> Response:
    """Takes the order from every kiosk, as if it had never been sent."""
    return _done(order_lifecycle.withdraw, order, services, caller, if_match)


@router.post("/{order}/reopen", summary="Reopen an order", response_model=OrderModel)
def reopen_order(order: OrderId, services: ServicesOf, caller: OrderWriter, if_match: IfMatch = None) -> Response:
    """Lets kiosks work on a closed order again. Packings that were confirmed before are undone."""
    return _done(order_lifecycle.reopen, order, services, caller, if_match)


def _done(action: OrderAction, order: str, services: Services, caller: Caller, if_match: str | None) -> Response:
    try:
        with services.database.writing() as connection:
            require_version(connection, order, if_match)
            action(connection, order, actor=caller.actor, now=moment(services.now()))
            resource = read_published_order(connection, order, services.settings)
    except OrderNotKnown as exc:
        raise Problem(404, f"There is no order {order!a}.") from exc
    services.changes.tell(Change.RETAINED, Change.ORDERS)
    return order_response(order, resource)

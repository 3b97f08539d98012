"""`/orders`: manifests in, and what has become of the orders."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from centre.changes import Change
from centre.moments import moment
from centre.orders.manifest_check import ManifestRefused
from centre.orders.manifest_intake import KEEP_SITE, RevisionConflict, put
from centre.orders.order_reading import read_page
from centre.store.order_pages import OrderFilter
from centre.web.access import OrderWriter, Reader, ServicesOf
from centre.web.api.order_models import OrderModel, OrderState
from centre.web.changed_after import change_number
from centre.web.etags import IfChanged, IfMatch, IfNoneMatch, is_unchanged
from centre.web.json_responses import page_response
from centre.web.order_responses import (
    add_publication,
    order_response,
    order_tag,
    read_published_order,
    require_version,
)
from centre.web.paging import DEFAULT_LIMIT, After, Limit, Page, cursor, number_in, text_in
from centre.web.paths import Segment
from centre.web.problem_details import Problem, wrong_field, wrong_fields
from centre.web.request_bodies import JsonBody, json_body

__all__ = ["OrderId", "router"]

router = APIRouter(prefix="/api/v1/orders", tags=["orders"])

OrderId = Annotated[Segment, Path(description="The order's id. `/` in it is sent as `%2F`.", examples=["SO-1001"])]

EXAMPLE = {
    "type": "normal",
    "barcodes": ["ORD-1001"],
    "lines": [
        {
            "line": "1",
            "sku": "P13-128-BLK",
            "name": "Phone 13 128 GB black",
            "flow": "used",
            "serialized": True,
            "quantity": 2,
            "tacs": ["49015420"],
        }
    ],
}

_ETAG = {"ETag": {"description": "The version of the resource.", "schema": {"type": "string"}}}
_NEW_OR_CHANGED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Changed, or equal to what was there.", "headers": _ETAG},
    201: {"model": OrderModel, "description": "New.", "headers": _ETAG},
    409: {"description": "The revision is lower than the present one, or as high with other content."},
}


@router.put(
    "/{order}",
    summary="Put an order",
    response_model=OrderModel,
    responses=_NEW_OR_CHANGED,
    openapi_extra=json_body({"$ref": "#/components/schemas/Manifest"}, "The manifest.", EXAMPLE),
)
def put_order(
    order: OrderId,
    services: ServicesOf,
    caller: OrderWriter,
    manifest: JsonBody,
    site: Annotated[
        str | None,
        Query(description="The site that works on it; empty: all sites. Without it, the order stays where it is."),
    ] = None,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Stores a manifest and publishes it to the kiosks.

    `order`, `revision` and `status` may be left out: the order is that of the path, the next revision is assigned, and
    the order stays as open or as closed as it is. The same content again is no new revision.
    """
    now = moment(services.now())
    try:
        with services.database.writing() as connection:
            require_version(connection, order, if_match, if_none_match)
            done = put(
                connection,
                order,
                manifest,
                site=KEEP_SITE if site is None else site or None,
                actor=caller.actor,
                now=now,
            )
            resource = read_published_order(connection, order, services.settings)
    except ManifestRefused as exc:
        raise wrong_fields((field.path, field.message) for field in exc.fields) from exc
    except RevisionConflict as exc:
        raise Problem(409, f"Revision {exc.given} is given, but revision {exc.present} is in force.") from exc
    services.changes.tell(Change.RETAINED, Change.ORDERS)
    return order_response(order, resource, 201 if done.outcome == "created" else 200)


@router.get("", summary="List orders", response_model=Page[OrderModel])
def list_orders(
    services: ServicesOf,
    _caller: Reader,
    status: Annotated[
        str | None, Query(description="Orders in one of these states, separated by commas.", examples=["open,packed"])
    ] = None,
    q: Annotated[str | None, Query(description="Stands somewhere in the order's id, in any case.")] = None,
    site: Annotated[str | None, Query(description="Orders of this site, and those for all sites.")] = None,
    changed_after: Annotated[
        str | None,
        Query(
            description="Orders that have changed since: `changed` of the last order read, or a time. The list is then "
            "sorted by the last change, so that reading it again and again misses nothing.",
            examples=["1042", "2026-11-22T17:53:01.123Z"],
        ),
    ] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Orders by id; with `changed_after` by their last change."""
    kind = "orders" if changed_after is None else "changed"
    with services.database.reading() as connection:
        wanted = OrderFilter(
            status=_states(status),
            text=q,
            site=site,
            changed_after=None if changed_after is None else change_number(connection, changed_after),
            after=text_in(kind, after) if changed_after is None else number_in(kind, after),
        )
        page = read_page(connection, wanted, limit)
        add_publication(connection, page.items, services.settings)
    return page_response(page.items, None if page.next is None else cursor(kind, page.next))


def _states(text: str | None) -> tuple[Any, ...]:
    try:
        return () if text is None else tuple(OrderState(one.strip()).value for one in text.split(","))
    except ValueError:
        raise wrong_field("status", f"Must be of {', '.join(OrderState)}, separated by commas.") from None


@router.get(
    "/{order}",
    summary="Read an order",
    response_model=OrderModel,
    responses={200: {"headers": _ETAG}, 304: {"description": "It is still what `If-None-Match` names."}},
)
def get_order(order: OrderId, services: ServicesOf, _caller: Reader, if_none_match: IfChanged = None) -> Response:
    """What is ordered, and what has become of it: counts, devices, boxes, people and times."""
    with services.database.reading() as connection:
        resource = read_published_order(connection, order, services.settings)
    if resource is not None and is_unchanged(order_tag(resource), if_none_match):
        return Response(status_code=304, headers={"ETag": order_tag(resource)})
    return order_response(order, resource)

"""Orders as REST answers with them: the resource, whether it is published, and its `ETag`."""

from collections.abc import Sequence
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Connection

from centre.configuration.centre_settings import CentreSettings
from centre.orders.order_reading import read_order
from centre.orders.publication import published_orders
from centre.store.order_rows import load_orders, lock_orders
from centre.web.etags import check_preconditions, etag
from centre.web.json_responses import json_response
from centre.web.problem_details import Problem

__all__ = ["add_publication", "order_response", "order_tag", "read_published_order", "require_version"]


def add_publication(connection: Connection, resources: Sequence[dict[str, Any]], settings: CentreSettings) -> None:
    """Add `published` to the resources of orders: null where the centre publishes no manifest."""
    brokers_of: dict[str, list[str]] = {site: [] for site in settings.general.sites}
    for broker in settings.brokers:
        for site in settings.sites_of(broker):
            brokers_of.setdefault(site, []).append(broker.name)
    published = published_orders(connection, [one["order"] for one in resources], brokers_of)
    for one in resources:
        one["published"] = one["order"] in published if one["source"] == "centre" else None


def read_published_order(connection: Connection, order: str, settings: CentreSettings) -> dict[str, Any] | None:
    """Return the resource of an order; None if the centre does not know it."""
    resource = read_order(connection, order)
    if resource is not None:
        add_publication(connection, [resource], settings)
    return resource


def order_tag(resource: dict[str, Any]) -> str:
    """Return the entity tag. It changes when the order is published, which is no new version."""
    return etag(resource["version"], "p" if resource["published"] else "")


def order_response(order: str, resource: dict[str, Any] | None, status: int = 200) -> Response:
    """Return the response that shows an order. Raise Problem 404 if there is none."""
    if resource is None:
        raise Problem(404, f"There is no order {order!a}.")
    return json_response(resource, status, {"ETag": order_tag(resource)})


def require_version(connection: Connection, order: str, if_match: str | None, if_none_match: str | None = None) -> None:
    """Raise Problem 412 unless the order is what these headers ask for. It stays so until the transaction ends."""
    if if_match is None and if_none_match is None:
        return
    lock_orders(connection)
    row = load_orders(connection, [order]).get(order)
    present = [] if row is None else [etag(row.version), etag(row.version, "p")]
    check_preconditions(present, if_match, if_none_match)

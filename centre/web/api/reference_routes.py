"""`/operators`, `/box-sizes`, `/blocked`: the lists that kiosks work with, for each site."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import Response
from sqlalchemy import Connection

from centre.changes import Change
from centre.moments import moment
from centre.orders.operator_list import put_operators, read_operators
from centre.orders.reference_check import ReferenceRefused
from centre.orders.reference_lists import (
    lock_reference,
    put_blocked,
    put_boxes,
    read_blocked,
    read_boxes,
)
from centre.store.site_rows import all_sites
from centre.web.access import Administrator, Reader, ServicesOf
from centre.web.api.reference_models import BlockedList, BoxSizeList, OperatorList
from centre.web.etags import IfMatch, check_preconditions, etag
from centre.web.json_responses import json_response
from centre.web.paths import Segment
from centre.web.problem_details import Problem, wrong_fields
from centre.web.request_bodies import JsonBody, JsonObject, json_body
from centre.web.services import Services

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["reference lists"])

SiteName = Annotated[Segment, Path(description="The site.", examples=["rtm1"])]
PartName = Annotated[Segment, Path(description="The part of the list: 1 to 64 of A-Z, a-z, 0-9, _ and -.")]

Read = Callable[[Connection], dict[str, Any]]
Put = Callable[[Connection], object]


def _items_of(schema: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}},
    }


@router.get("/operators/{site}", summary="Read the operators", response_model=OperatorList)
def get_operators(site: SiteName, services: ServicesOf, _caller: Reader) -> Response:
    """Who may work at a site. Badges can be written, but never read."""
    return _get(services, site, lambda connection: read_operators(connection, site))


@router.put(
    "/operators/{site}",
    summary="Put the operators",
    response_model=OperatorList,
    openapi_extra=json_body(
        _items_of("OperatorGiven"),
        "All operators. One without `badges` keeps those that are known.",
        {"items": [{"operator": "E7", "name": "Ann Example", "badges": ["B-1007"], "roles": ["picking", "packing"]}]},
    ),
)
def put_operator_list(
    site: SiteName, services: ServicesOf, caller: Administrator, given: JsonBody, if_match: IfMatch = None
) -> Response:
    """Replaces the list, and publishes it to the site's kiosks. Badges are stored and published as salted hashes."""
    now = moment(services.now())
    return _put(
        services,
        site,
        lambda connection: read_operators(connection, site),
        lambda connection: put_operators(
            connection, site, _items(given), salt=_salt(given), actor=caller.actor, now=now
        ),
        if_match,
    )


@router.get("/box-sizes/{site}", summary="Read the box sizes", response_model=BoxSizeList)
def get_box_sizes(site: SiteName, services: ServicesOf, _caller: Reader) -> Response:
    """The sizes of boxes that a site packs into."""
    return _get(services, site, lambda connection: read_boxes(connection, site))


@router.put(
    "/box-sizes/{site}",
    summary="Put the box sizes",
    response_model=BoxSizeList,
    openapi_extra=json_body(
        _items_of("BoxSizeItem"),
        "All box sizes.",
        {"items": [{"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}]},
    ),
)
def put_box_sizes(
    site: SiteName, services: ServicesOf, caller: Administrator, given: JsonBody, if_match: IfMatch = None
) -> Response:
    """Replaces the list, and publishes it to the site's kiosks."""
    now = moment(services.now())
    return _put(
        services,
        site,
        lambda connection: read_boxes(connection, site),
        lambda connection: put_boxes(connection, site, _items(given), actor=caller.actor, now=now),
        if_match,
    )


@router.get("/blocked/{site}/{part}", summary="Read blocked units", response_model=BlockedList)
def get_blocked(site: SiteName, part: PartName, services: ServicesOf, _caller: Reader) -> Response:
    """One part of the units that may not ship."""
    return _get(services, site, lambda connection: read_blocked(connection, site, part))


@router.put(
    "/blocked/{site}/{part}",
    summary="Put blocked units",
    response_model=BlockedList,
    openapi_extra=json_body(
        {
            "type": "object",
            "required": ["items"],
            "properties": {"items": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 64}}},
        },
        "All units of this part, by any identifier.",
        {"items": ["490154203237518"]},
    ),
)
def put_blocked_part(
    site: SiteName,
    part: PartName,
    services: ServicesOf,
    caller: Administrator,
    given: JsonBody,
    if_match: IfMatch = None,
) -> Response:
    """Replaces one part of the list, and publishes it to the site's kiosks. Parts are independent of each other."""
    now = moment(services.now())
    return _put(
        services,
        site,
        lambda connection: read_blocked(connection, site, part),
        lambda connection: put_blocked(connection, site, part, _items(given), actor=caller.actor, now=now),
        if_match,
    )


def _get(services: Services, site: str, read: Read) -> Response:
    with services.database.reading() as connection:
        _require_site(connection, site)
        return _response(read(connection))


def _put(services: Services, site: str, read: Read, put: Put, if_match: str | None) -> Response:
    try:
        with services.database.writing() as connection:
            _require_site(connection, site)
            if if_match is not None:
                lock_reference(connection)
                check_preconditions([etag(read(connection)["revision"])], if_match, None)
            put(connection)
            found = read(connection)
    except ReferenceRefused as exc:
        raise wrong_fields((field.path, field.message) for field in exc.fields) from exc
    services.changes.tell(Change.RETAINED)
    return _response(found)


def _response(found: dict[str, Any]) -> Response:
    return json_response(found, headers={"ETag": etag(found["revision"])})


def _require_site(connection: Connection, site: str) -> None:
    if site not in all_sites(connection):
        raise Problem(404, f"The centre does not serve a site {site!a}.")


def _items(given: JsonObject) -> Any:
    items = given.get("items")
    if not isinstance(items, list):
        raise wrong_fields([("items", "Must be a list.")])
    return items


def _salt(given: JsonObject) -> str | None:
    salt = given.get("salt")
    if not (salt is None or isinstance(salt, str)):
        raise wrong_fields([("salt", "Must be text.")])
    return salt

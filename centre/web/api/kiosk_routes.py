"""`/kiosks`: what the kiosks say of themselves, and requests to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy import Connection

from centre.changes import Change
from centre.kiosk_retirement import retire
from centre.moments import moment
from centre.store.kiosk_list_rows import journals_of_kiosks, kiosk_page
from centre.store.kiosk_rows import KioskRow, kiosk_of, stations_of
from centre.web.access import Administrator, OrderWriter, Reader, ServicesOf
from centre.web.api.kiosk_models import AnswerModel, KioskModel
from centre.web.json_responses import json_response, page_response
from centre.web.kiosk_resources import kiosk_resource
from centre.web.paging import DEFAULT_LIMIT, After, Limit, Page, cursor, parts_of
from centre.web.paths import Segment
from centre.web.problem_details import Problem
from centre.web.services import Services

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/kiosks", tags=["kiosks"])

SiteName = Annotated[Segment, Path(description="The site.", examples=["rtm1"])]
KioskId = Annotated[Segment, Path(description="The kiosk's name at the site.", examples=["dock-3"])]

_UNREACHABLE: dict[int | str, dict[str, Any]] = {
    502: {"description": "No broker took the request."},
    504: {"description": "The kiosk has not answered."},
}


@router.get("", summary="List kiosks", response_model=Page[KioskModel])
def list_kiosks(
    services: ServicesOf,
    _caller: Reader,
    site: Annotated[str | None, Query(description="Those of one site.")] = None,
    retired: Annotated[bool, Query(description="Whether retired ones are listed too.")] = False,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Kiosks by site and name."""
    start = parts_of("kiosks", after, str, str)
    with services.database.reading() as connection:
        rows = kiosk_page(connection, site=site, after=start, limit=limit + 1, with_retired=retired)
        items = _resources(connection, rows[:limit], services)
    end = cursor("kiosks", rows[limit - 1].site, rows[limit - 1].name) if len(rows) > limit else None
    return page_response(items, end)


@router.get("/{site}/{kiosk}", summary="Read a kiosk", response_model=KioskModel)
def get_kiosk(site: SiteName, kiosk: KioskId, services: ServicesOf, _caller: Reader) -> Response:
    """What a kiosk says of itself, and what the centre has of its events."""
    return json_response(_read(services, site, kiosk))


@router.post(
    "/{site}/{kiosk}/identify", summary="Make a kiosk blink", response_model=AnswerModel, responses=_UNREACHABLE
)
async def identify(site: SiteName, kiosk: KioskId, services: ServicesOf, _caller: OrderWriter) -> Response:
    """The kiosk's lights blink, so that somebody finds it."""
    return await _asked(services, site, kiosk, "identify")


@router.post(
    "/{site}/{kiosk}/reload", summary="Let a kiosk read everything again", response_model=AnswerModel,
    responses=_UNREACHABLE,
)  # fmt: skip
async def reload(site: SiteName, kiosk: KioskId, services: ServicesOf, _caller: OrderWriter) -> Response:
    """The kiosk subscribes again, so that the broker sends it all orders and lists again."""
    return await _asked(services, site, kiosk, "reload")


@router.post("/{site}/{kiosk}/retire", summary="Retire a kiosk", response_model=KioskModel)
def retire_kiosk(site: SiteName, kiosk: KioskId, services: ServicesOf, caller: Administrator) -> Response:
    """Takes a kiosk off the lists, and clears what the centre retains for it. Its events stay.

    The kiosk's own views can only be cleared by `kiosk-agent retire` on the kiosk: no other account may write them. If
    the kiosk works on nevertheless, its events are stored as before.
    """
    with services.database.writing() as connection:
        retire(connection, _existing(connection, site, kiosk), actor=caller.actor, now=moment(services.now()))
    services.changes.tell(Change.RETAINED, Change.KIOSKS)
    return json_response(_read(services, site, kiosk))


async def _asked(services: Services, site: str, kiosk: str, name: str) -> Response:
    await run_in_threadpool(_require, services, site, kiosk)
    answer = await services.requests.send(site, kiosk, name, {})
    error = answer.get("error")
    return json_response({"ok": answer.get("ok") is True, "error": error if isinstance(error, str) else None})


def _require(services: Services, site: str, kiosk: str) -> None:
    with services.database.reading() as connection:
        _existing(connection, site, kiosk)


def _existing(connection: Connection, site: str, kiosk: str) -> KioskRow:
    row = kiosk_of(connection, site, kiosk)
    if row is None:
        raise Problem(404, f"Nothing was ever heard of a kiosk {kiosk!a} at site {site!a}.")
    return row


def _read(services: Services, site: str, kiosk: str) -> dict[str, Any]:
    with services.database.reading() as connection:
        return _resources(connection, [_existing(connection, site, kiosk)], services)[0]


def _resources(connection: Connection, rows: list[KioskRow], services: Services) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    journals = journals_of_kiosks(connection, ids)
    stations = stations_of(connection, ids)
    now, offline_s = services.now(), services.settings.general.kiosk_offline_s
    return [
        kiosk_resource(
            row,
            journals[row.id],
            [station for station in stations if station.kiosk_id == row.id],
            now=now,
            offline_s=offline_s,
        )
        for row in rows
    ]

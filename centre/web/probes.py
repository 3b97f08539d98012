"""Probes for monitoring: `/healthz`, `/readyz` and `/metrics`."""

import asyncio
import ipaddress

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from centre.centre_errors import DatabaseDown
from centre.store.database import Database
from centre.web.access import ServicesOf, services_of
from centre.web.metrics import metrics_text
from centre.web.problem_details import PROBLEM_CONTENT, Problem

__all__ = ["DatabasePulse", "router"]

router = APIRouter(tags=["probes"])

PULSE_S = 3.0
"""A database that has not answered for so long does not work, whatever it will say."""


class DatabasePulse:
    """Asks the database whether it works, once at a time: one that hangs takes one thread, however many ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: asyncio.Task[bool] | None = None

    async def beats(self) -> bool:
        """Return whether the database answers within `PULSE_S`."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait((self._asked,), timeout=PULSE_S)
        return any(one.result() for one in done)

    async def _ask(self) -> bool:
        try:
            await asyncio.to_thread(self._database.ping)
        except DatabaseDown:
            return False
        return True


class Alive(BaseModel):
    """The process answers."""

    status: str = Field(examples=["alive"])


class Readiness(BaseModel):
    """Whether the centre can do its work, and what is missing if it cannot."""

    ready: bool
    database: bool = Field(description="Whether the database answers.")
    ingest: bool = Field(description="Whether events are being stored.")
    brokers: dict[str, bool] = Field(description="Whether each broker is connected, by `host:port`.")


@router.get("/healthz", response_model=Alive, summary="Is the process alive?")
async def healthz() -> Alive:
    """Answers as long as the process lives, whatever else is down."""
    return Alive(status="alive")


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Something is missing."}},
    summary="Can the centre do its work?",
)
async def readyz(request: Request) -> Response:
    """200 if the database answers, events are being stored, and at least one broker is connected; else 503."""
    # Not a dependency: those take a thread, and all threads may be waiting for the database.
    services = services_of(request)
    pulse: DatabasePulse = request.app.state.pulse
    database = await pulse.beats()
    brokers = {broker.name: broker.is_connected for broker in services.brokers()}
    ingest = services.ingest.ready
    found = Readiness(
        ready=database and ingest and any(brokers.values()), database=database, ingest=ingest, brokers=brokers
    )
    return JSONResponse(found.model_dump(), status_code=200 if found.ready else 503)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={403: {"description": "The client is on another machine.", "content": PROBLEM_CONTENT}},
    summary="Figures for Prometheus",
)
def metrics(request: Request, services: ServicesOf) -> Response:
    """The figures in Prometheus' text format. For this machine alone, unless `[web] public_metrics` is set."""
    if not services.settings.web.public_metrics and not _is_local(request):
        raise Problem(403, "The metrics are for this machine alone. [web] public_metrics changes that.")
    return Response(metrics_text(services), media_type=CONTENT_TYPE_LATEST)


def _is_local(request: Request) -> bool:
    """Return whether the client is on this machine. One behind a proxy of this machine is not."""
    if any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip")):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False

"""The web application: REST under `/api/v1`, the probes, and the board."""

from fastapi import APIRouter, FastAPI

from centre.configuration.settings_values import is_loopback
from centre.web import openapi_document, probes
from centre.web.access import Access
from centre.web.api import (
    box_routes,
    conflict_routes,
    dead_letter_routes,
    event_routes,
    import_routes,
    kiosk_routes,
    order_actions,
    order_routes,
    print_routes,
    reference_routes,
    unit_routes,
)
from centre.web.board import board_routes
from centre.web.board.import_page_routes import IMPORT_PATH
from centre.web.board.live_updates import LiveStreams
from centre.web.board.page_rendering import Pages
from centre.web.body_limits import MAX_IMPORT_BYTES, LimitBody
from centre.web.hardening import CheckHost, SecurityHeaders
from centre.web.paths import KeepSlashes
from centre.web.probes import DatabasePulse
from centre.web.problem_details import CatchErrors, add_problem_handlers
from centre.web.services import Services

__all__ = ["create_app", "rest_app"]

_LARGE_BODIES = {"/api/v1/imports/": MAX_IMPORT_BYTES, IMPORT_PATH: MAX_IMPORT_BYTES}


def create_app(services: Services) -> FastAPI:
    """Return the application over these services. It opens nothing and starts nothing."""
    web = services.settings.web
    app = rest_app()
    app.state.services = services
    app.state.access = Access(services.database, services.now, services.monotonic)
    app.state.pages = Pages(services)
    app.state.live_streams = LiveStreams()
    app.state.pulse = DatabasePulse(services.database)
    app.router.routes.extend(board_routes.router(app.state.pages, app.state.live_streams).routes)
    add_problem_handlers(app)

    # The last one added sees a request first.
    app.add_middleware(LimitBody, larger=_LARGE_BODIES)
    app.add_middleware(KeepSlashes)
    if is_loopback(web.bind) and not web.behind_proxy:
        app.add_middleware(CheckHost)
    app.add_middleware(CatchErrors)
    app.add_middleware(SecurityHeaders, is_secure=web.is_secure)
    return app


def rest_app() -> FastAPI:
    """Return an application with the routes of REST and the probes, as the OpenAPI document describes them.

    Its requests can only be answered within `create_app`.
    """
    app = FastAPI(title="kiosk-centre", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for router in _routers():
        # Not `include_router`: it hides the routes from those who walk through `app.routes`.
        app.router.routes.extend(router.routes)
    return app


def _routers() -> list[APIRouter]:
    return [
        order_routes.router,
        order_actions.router,
        print_routes.router,
        import_routes.router,
        unit_routes.router,
        box_routes.router,
        event_routes.router,
        kiosk_routes.router,
        conflict_routes.router,
        reference_routes.router,
        dead_letter_routes.router,
        openapi_document.router,
        probes.router,
    ]

"""All routes of the board, in one router."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from centre.web.access import ServicesOf
from centre.web.board.bench_cards import load_board
from centre.web.board.finding import Found, find
from centre.web.board.import_page_routes import add_import_routes
from centre.web.board.live_updates import LiveStreams, add_live_routes
from centre.web.board.naming import load_naming
from centre.web.board.order_page_routes import add_order_routes
from centre.web.board.page_rendering import STATIC, Pages, order_url
from centre.web.board.page_route import page_router
from centre.web.board.sign_in_routes import add_sign_in_routes
from centre.web.board.viewer import ReaderOf
from centre.web.problem_details import Problem
from centre.web.storable import is_storable

__all__ = ["router"]

_MAX_QUERY = 200


def router(pages: Pages, streams: LiveStreams) -> APIRouter:
    """Return the routes of all pages, their live updates and their static files."""
    board = page_router(pages)
    files = {str(file.relative_to(STATIC)): file for file in STATIC.rglob("*") if file.is_file()}

    @board.get("/")
    def show_benches(request: Request, services: ServicesOf, viewer: ReaderOf) -> Response:
        clock = pages.clock()
        general = services.settings.general
        with services.database.reading() as connection:
            naming = load_naming(connection, general.sites, with_operators=viewer.sees_operators)
            loaded = load_board(connection, clock, general.sites, naming, offline_s=general.kiosk_offline_s)
        return pages.page(request, viewer, "benches", clock, page="benches", board=loaded)

    @board.get("/find")
    def show_found(request: Request, services: ServicesOf, viewer: ReaderOf) -> Response:
        text = request.query_params.get("q", "").strip()[:_MAX_QUERY]
        found = Found()
        if text and is_storable(text):
            with services.database.reading() as connection:
                naming = load_naming(connection, services.settings.general.sites, with_operators=viewer.sees_operators)
                found = find(connection, text, naming)
        order = found.only_order(text)
        if order is not None:
            return RedirectResponse(order_url(order), 303)
        return pages.page(request, viewer, "find", pages.clock(), page="find", found=found, query=text)

    @board.get("/static/{path:path}")
    def show_static(request: Request, path: str) -> Response:
        if path not in files:
            raise Problem(404, "There is no such file.")
        # The address of a file changes with its content.
        is_versioned = "v" in request.query_params
        caching = "public, max-age=31536000, immutable" if is_versioned else "no-cache"
        return FileResponse(files[path], headers={"Cache-Control": caching})

    add_sign_in_routes(board, pages)
    add_order_routes(board, pages)
    add_import_routes(board, pages)
    add_live_routes(board, streams)
    return board

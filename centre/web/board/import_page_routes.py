"""The page that imports a file of orders, and first shows what would change.

It is not below `/orders`: an order may be called `import`.
"""

from asyncio import to_thread

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from centre.changes import Change
from centre.moments import moment
from centre.orders.file_errors import FileRefused
from centre.orders.order_imports import FileFormat, ImportResult, import_orders, orders_in_file
from centre.web.access import ServicesOf
from centre.web.api.import_routes import Turn
from centre.web.board.page_rendering import Pages
from centre.web.board.viewer import EditorOf, ReaderOf, SignInNeeded, Viewer
from centre.web.problem_details import Problem
from centre.web.services import Services

__all__ = ["IMPORT_PATH", "add_import_routes"]

IMPORT_PATH = "/import/orders"


def add_import_routes(router: APIRouter, pages: Pages) -> None:
    """Add the routes of the page."""

    def page(request: Request, viewer: Viewer, status: int = 200, **values: object) -> Response:
        shown = {"result": None, "groups": (), "errors": (), **values}
        return pages.page(request, viewer, "import_orders", pages.clock(), page="orders", status=status, **shown)

    @router.get(IMPORT_PATH)
    def show_form(request: Request, viewer: ReaderOf) -> Response:
        if viewer.caller is None:
            raise SignInNeeded
        if not viewer.may_change:
            raise Problem(403, "Only supervisors and admins may import orders. Ask one of them.")
        return page(request, viewer)

    @router.post(IMPORT_PATH)
    async def take_file(request: Request, services: ServicesOf, viewer: EditorOf, _turn: Turn) -> Response:
        form = await request.form()
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Problem(400, "Choose a file first.")
        kind: FileFormat = "json" if (file.filename or "").lower().endswith(".json") else "csv"
        data, dry_run = await file.read(), form.get("do") != "import"
        try:
            result = await to_thread(_imported, services, viewer, data, kind, dry_run)
        except FileRefused as exc:
            return page(request, viewer, 422, errors=exc.errors)
        groups = (("new", result.created), ("changed", result.updated), ("as before", result.unchanged))
        return page(request, viewer, result=result, groups=groups)


def _imported(services: Services, viewer: Viewer, data: bytes, kind: FileFormat, dry_run: bool) -> ImportResult:
    assert viewer.caller is not None
    now = moment(services.now())
    return import_orders(
        services.database,
        orders_in_file(services.database, data, kind, now=now),
        dry_run=dry_run,
        actor=viewer.caller.actor,
        now=now,
        tell=lambda: services.changes.tell(Change.RETAINED, Change.ORDERS),
    )

"""The pages about orders: the list, one order with what can be done about it, and its prints."""

from collections.abc import Callable
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from msgspec import Struct
from sqlalchemy import Connection

from centre.changes import Change
from centre.moments import moment
from centre.orders import order_lifecycle
from centre.store.box_rows import boxes_of_orders
from centre.store.order_detail_rows import operators_of_orders, unfinished_orders
from centre.store.order_list_rows import ListedOrder, OrderCounts, counts_of_orders, list_orders
from centre.store.order_rows import OrderRow, load_orders
from centre.store.story_rows import events_of_order, holds_of_orders
from centre.web.access import ServicesOf
from centre.web.board.event_story import story_entry
from centre.web.board.looks import ORDER_LOOKS, Appearance, order_look
from centre.web.board.naming import Naming, load_naming
from centre.web.board.open_holds import open_holds
from centre.web.board.order_sheet import OrderSheet, order_sheet, ordered_pieces
from centre.web.board.page_rendering import Pages, order_url
from centre.web.board.page_times import PageClock
from centre.web.board.prints import packing_list, packing_list_csv, ticket
from centre.web.board.viewer import EditorOf, ReaderOf, Viewer
from centre.web.paths import Segment
from centre.web.problem_details import Problem
from centre.web.services import Services
from centre.web.storable import is_storable

__all__ = ["add_order_routes"]

ORDERS_A_PAGE = 50
EVENTS_A_PAGE = 50
MAX_POSITION = 2**63 - 1


class OrderListing(Struct, frozen=True, kw_only=True):
    """One page of the list of orders."""

    rows: list["ListingRow"]
    q: str
    status: str
    many_sites: bool
    next_url: str | None

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.status)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The statuses that can be chosen, with their words."""
        return [("to_do", "to do"), *((status, look.word) for status, look in ORDER_LOOKS.items())]


class ListingRow(Struct, frozen=True, kw_only=True):
    """One order of the list."""

    order: str
    site: str | None
    look: Appearance
    incomplete: bool
    scanned: int
    ordered: int | None
    boxes: int
    changed_at: str


def _listing_row(row: ListedOrder, counts: OrderCounts, incomplete: bool) -> ListingRow:
    return ListingRow(
        order=row.name,
        site=row.site,
        look=order_look(row.status),
        incomplete=incomplete,
        scanned=counts.scanned,
        ordered=ordered_pieces(row.manifest),
        boxes=counts.boxes,
        changed_at=row.changed_at,
    )


def load_listing(connection: Connection, *, q: str, status: str, before: int | None, many_sites: bool) -> OrderListing:
    """Read one page of the list. `status`: one of the choices; empty or unknown: any."""
    statuses = ("open", "in_progress") if status == "to_do" else (status,) if status in ORDER_LOOKS else ()
    rows = list_orders(connection, statuses=statuses, text=q, before=before, limit=ORDERS_A_PAGE + 1)
    shown = rows[:ORDERS_A_PAGE]
    names = [row.name for row in shown]
    counts, incomplete = counts_of_orders(connection, names), unfinished_orders(connection, names)
    more = {"q": q, "status": status, "before": shown[-1].changed} if len(rows) > len(shown) else None
    return OrderListing(
        rows=[_listing_row(row, counts.get(row.name, OrderCounts(0, 0)), row.name in incomplete) for row in shown],
        q=q,
        status=status,
        many_sites=many_sites,
        next_url=f"/orders?{urlencode(more)}" if more else None,
    )


def load_order_sheet(connection: Connection, row: OrderRow, clock: PageClock, naming: Naming) -> OrderSheet:
    """Read all about an order that pages show."""
    names = [row.name]
    operators = operators_of_orders(connection, names)[row.name]
    is_incomplete = row.name in unfinished_orders(connection, names)
    by_place = open_holds(holds_of_orders(connection, names))
    holds = [hold for here in by_place.values() for hold in here] if not row.is_closed else []
    boxes = boxes_of_orders(connection, names)
    return order_sheet(row, boxes, operators, clock, naming, incomplete=is_incomplete, holds=holds)


def _known(connection: Connection, order: str) -> OrderRow:
    row = load_orders(connection, [order]).get(order) if is_storable(order) else None
    if row is None:
        raise Problem(404, "The centre knows no order with exactly this id. Search for a part of it.")
    return row


def _number(text: str | None) -> int | None:
    """Return the number in a parameter; None if there is none."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return min(int(text), MAX_POSITION)


def add_order_routes(router: APIRouter, pages: Pages) -> None:
    """Add the routes below `/orders`."""

    def naming_for(connection: Connection, services: Services, viewer: Viewer) -> Naming:
        return load_naming(connection, services.settings.general.sites, with_operators=viewer.sees_operators)

    @router.get("/orders")
    def show_orders(request: Request, services: ServicesOf, viewer: ReaderOf) -> Response:
        query = request.query_params
        q = query.get("q", "").strip()[:64]
        with services.database.reading() as connection:
            listing = load_listing(
                connection,
                q=q if is_storable(q) else "",
                status=query.get("status", ""),
                before=_number(query.get("before")),
                many_sites=len(services.settings.general.sites) > 1,
            )
        return pages.page(request, viewer, "orders", pages.clock(), page="orders", listing=listing)

    # The routes with a further word come first: an order id is one segment, whatever is in it.
    @router.get("/orders/{order}/packing-list")
    def show_packing_list(request: Request, order: Segment, services: ServicesOf, viewer: ReaderOf) -> Response:
        is_csv = request.query_params.get("format") == "csv"
        return packing_list_response(pages, request, order, services, viewer, is_csv=is_csv)

    @router.get("/orders/{order}/ticket")
    def show_ticket(request: Request, order: Segment, services: ServicesOf, viewer: ReaderOf) -> Response:
        return ticket_response(pages, request, order, services, viewer)

    @router.get("/orders/{order}")
    def show_order(request: Request, order: Segment, services: ServicesOf, viewer: ReaderOf) -> Response:
        clock = pages.clock()
        before = _number(request.query_params.get("before"))
        with services.database.reading() as connection:
            row = _known(connection, order)
            naming = naming_for(connection, services, viewer)
            sheet = load_order_sheet(connection, row, clock, naming)
            events = events_of_order(connection, order, before=before, limit=EVENTS_A_PAGE + 1)
        story = [story_entry(one, naming) for one in events[:EVENTS_A_PAGE]]
        older = f"?before={events[EVENTS_A_PAGE - 1].position}#said" if len(events) > EVENTS_A_PAGE else None
        return pages.page(
            request, viewer, "order", clock, page="orders", order=sheet, story=story,
            older_url=older, newest_url=order_url(order) + "#said" if before is not None else None,
        )  # fmt: skip

    def change(services: Services, viewer: Viewer, order: str, what: Callable[..., object]) -> Response:
        assert viewer.caller is not None
        with services.database.writing() as connection:
            _known(connection, order)
            what(connection, order, actor=viewer.caller.actor, now=moment(services.now()))
        services.changes.tell(Change.ORDERS, Change.RETAINED)
        return RedirectResponse(order_url(order), 303)

    @router.post("/orders/{order}/cancel")
    def cancel(order: Segment, services: ServicesOf, viewer: EditorOf) -> Response:
        return change(services, viewer, order, order_lifecycle.cancel)

    @router.post("/orders/{order}/reopen")
    def reopen(order: Segment, services: ServicesOf, viewer: EditorOf) -> Response:
        return change(services, viewer, order, order_lifecycle.reopen)


# -- prints, which REST answers with too -----------------------------------------------------------------------------


def packing_list_response(
    pages: Pages, request: Request, order: str, services: Services, viewer: Viewer, *, is_csv: bool
) -> Response:
    """Return the packing list, as a page to print or as CSV. Raise Problem 404."""
    sheet, _, clock = _sheet(pages, order, services, viewer)
    if is_csv:
        name = quote(f"packing-list-{order}.csv", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return PlainTextResponse(packing_list_csv(sheet), headers=headers, media_type="text/csv; charset=utf-8")
    return pages.page(request, viewer, "packing_list", clock, page="orders", list=packing_list(sheet, clock))


def ticket_response(pages: Pages, request: Request, order: str, services: Services, viewer: Viewer) -> Response:
    """Return the ticket, as a page to print. Raise Problem 404."""
    sheet, row, clock = _sheet(pages, order, services, viewer)
    return pages.page(request, viewer, "ticket", clock, page="orders", ticket=ticket(sheet, row.site))


def _sheet(pages: Pages, order: str, services: Services, viewer: Viewer) -> tuple[OrderSheet, OrderRow, PageClock]:
    clock = pages.clock()
    sites = services.settings.general.sites
    with services.database.reading() as connection:
        row = _known(connection, order)
        naming = load_naming(connection, sites, with_operators=viewer.sees_operators)
        return load_order_sheet(connection, row, clock, naming), row, clock

"""Pages from templates: the whole page, or the part of it that is renewed, from the same template."""

import hashlib
import unicodedata
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from centre.web.board.looks import INCOMPLETE, NOT_FOUND
from centre.web.board.page_times import PageClock
from centre.web.board.viewer import Viewer
from centre.web.services import Services

__all__ = ["STATIC", "Pages", "find_url", "order_url", "visible"]

STATIC = Path(__file__).parents[1] / "static"

_LIVE = "live"
"""The block that is renewed by itself."""


def order_url(order: str) -> str:
    """Return the path of an order's page."""
    return f"/orders/{quote(order, safe='')}"


def find_url(text: str) -> str:
    """Return the address of the page that finds a text."""
    return "/find?" + urlencode({"q": text})


def visible(value: object) -> object:
    """Return text with its invisible characters written out: line feeds, direction marks, zero-width ones.

    Labels and barcodes come from outside. A mark that turns the direction of the text round could make one look like
    another.
    """
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(map(_visible_character, value))


def _visible_character(character: str) -> str:
    if character.isprintable():
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


@cache
def _static(name: str) -> str:
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("centre.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        order_url=order_url, find_url=find_url, static=_static, INCOMPLETE=INCOMPLETE, NOT_FOUND=NOT_FOUND
    )
    return environment


class Pages:
    """Makes the board's pages."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def clock(self) -> PageClock:
        """Return the time of a page that is made now."""
        return PageClock(self._services.now(), self._services.settings.web.zone)

    def page(
        self,
        request: Request,
        viewer: Viewer,
        name: str,
        clock: PageClock,
        *,
        page: str,
        status: int = 200,
        **values: object,
    ) -> HTMLResponse:
        """Return the page `name` with these values; only its live part, if htmx asks for it.

        `page` says which entry of the navigation is current.
        """
        template = _environment().get_template(f"{name}.html")
        context = {**self._frame(request, viewer, clock), "page": page, **values}
        is_part = "hx-request" in request.headers and _LIVE in template.blocks and status == 200
        text = "".join(template.blocks[_LIVE](template.new_context(context))) if is_part else template.render(context)
        return HTMLResponse(text, status, headers={"Vary": "HX-Request"})

    def _frame(self, request: Request, viewer: Viewer, clock: PageClock) -> dict[str, object]:
        settings = self._services.settings
        query = f"?{request.url.query}" if request.url.query else ""
        return {
            "sites": ", ".join(settings.general.sites),
            "zone": settings.web.timezone,
            "clock": clock,
            "made_at": clock.now.isoformat(timespec="milliseconds"),
            "here": quote(request.scope.get("raw_path", b"/").decode("ascii", "replace"), safe="/%") + query,
            "wall": "wall" in request.query_params,
            "query": request.query_params.get("q", "") if request.url.path == "/find" else "",
            "user": viewer.user,
            "csrf": viewer.csrf,
            "may_read": viewer.may_read,
            "may_change": viewer.may_change,
        }

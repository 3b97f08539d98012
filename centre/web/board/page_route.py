"""Routes of pages: what goes wrong in one is shown as a page, not as a problem document."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from centre.centre_errors import DatabaseDown, Refused
from centre.web.access import LIVE_PATH
from centre.web.board.page_rendering import Pages
from centre.web.board.viewer import SignInNeeded, Viewer

__all__ = ["page_router"]

_log = logging.getLogger(__name__)

_HEADINGS = {
    400: "That cannot be read",
    403: "Not allowed",
    404: "Not found",
    409: "Not possible now",
    429: "Too many tries",
    503: "Not at the moment",
}


class PageRoute(APIRoute):
    """A route whose errors become pages, which `pages` makes."""

    pages: ClassVar[Pages]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with the errors caught."""
        handle = super().get_route_handler()

        async def page_handler(request: Request) -> Response:
            try:
                return await handle(request)
            except SignInNeeded:
                return _to_sign_in(request)
            except DatabaseDown as exc:
                _log.warning("A page could not be shown, since the database does not work: %s", exc)
                sentence = "The database does not work at the moment. The kiosks keep what they scan. Try again soon."
                return self._problem(request, 503, sentence, {"Retry-After": "5"})
            except Refused as exc:
                return self._problem(request, 409, str(exc), {})
            except HTTPException as exc:
                return self._problem(request, exc.status_code, str(exc.detail), dict(exc.headers or {}))

        return page_handler

    def _problem(self, request: Request, status: int, sentence: str, headers: dict[str, str]) -> Response:
        response = self.pages.page(
            request, Viewer(), "problem", self.pages.clock(), page="problem", status=status,
            heading=_HEADINGS.get(status, "That did not work"), sentence=sentence,
        )  # fmt: skip
        response.headers.update(headers)
        return response


def page_router(pages: Pages) -> APIRouter:
    """Return an empty router for pages."""
    route_class = type("BoardPageRoute", (PageRoute,), {"pages": pages})
    return APIRouter(route_class=route_class, include_in_schema=False)


def _to_sign_in(request: Request) -> Response:
    if request.url.path == LIVE_PATH:
        return Response(status_code=401)
    shown = request.headers.get("hx-current-url") or str(request.url)
    path = shown.removeprefix(f"{request.url.scheme}://{request.url.netloc}") if request.method == "GET" else "/"
    target = "/sign-in?" + urlencode({"next": path})
    if "hx-request" in request.headers:
        # htmx follows redirects by itself and would put the form into the page.
        return Response(status_code=401, headers={"HX-Redirect": target})
    return RedirectResponse(target, 303)

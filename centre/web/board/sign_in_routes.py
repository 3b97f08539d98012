"""Signing in by password or by a link that works once, and signing out."""

import math
from asyncio import to_thread

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from centre.web.access import AccessOf, ServicesOf, address_of, clear_cookie, refuse_cross_site, set_cookie
from centre.web.board.page_rendering import Pages
from centre.web.board.viewer import Viewer, ViewerOf, safe_next
from centre.web.paths import Segment
from centre.web.sessions import COOKIE, NewSession, SignInRefused

__all__ = ["add_sign_in_routes"]


def add_sign_in_routes(router: APIRouter, pages: Pages) -> None:
    """Add the routes of `/sign-in` and `/sign-out`."""

    def form(request: Request, *, next: str, problem: str | None, status: int = 200) -> Response:
        return pages.page(
            request, Viewer(), "sign_in", pages.clock(), page="sign-in", status=status, next=next, problem=problem
        )

    def answer(
        request: Request, services: ServicesOf, outcome: NewSession | SignInRefused, *, next: str, wrong: str
    ) -> Response:
        if isinstance(outcome, NewSession):
            response = RedirectResponse(next, 303)
            set_cookie(response, outcome, services)
            return response
        if outcome.wait_s:
            problem = f"Too many tries. Wait {math.ceil(outcome.wait_s)} s and try again."
            response_429 = form(request, next=next, problem=problem, status=429)
            response_429.headers["Retry-After"] = str(math.ceil(outcome.wait_s))
            return response_429
        return form(request, next=next, problem=wrong, status=403)

    @router.get("/sign-in")
    def show_form(request: Request, viewer: ViewerOf) -> Response:
        next = safe_next(request.query_params.get("next"))
        if viewer.user is not None:
            return RedirectResponse(next, 303)
        return form(request, next=next, problem=None)

    @router.get("/sign-in/{link}")
    def sign_in_by_link(request: Request, services: ServicesOf, access: AccessOf, link: Segment) -> Response:
        refuse_cross_site(request)
        outcome = access.sessions.sign_in_by_link(link, address_of(request))
        wrong = "This link has been used, or is too old. Ask for a new one, or sign in by password."
        return answer(request, services, outcome, next="/", wrong=wrong)

    @router.post("/sign-in")
    async def sign_in(request: Request, services: ServicesOf, access: AccessOf) -> Response:
        refuse_cross_site(request)
        given = await request.form(max_files=0)
        outcome = await to_thread(
            access.sessions.sign_in, _text(given, "name"), _text(given, "password"), address_of(request)
        )
        next = safe_next(_text(given, "next"))
        return answer(request, services, outcome, next=next, wrong="Name or password are wrong.")

    @router.post("/sign-out")
    async def sign_out(request: Request, services: ServicesOf, access: AccessOf, viewer: ViewerOf) -> Response:
        given = await request.form(max_files=0)
        if viewer.caller is not None:
            access.refuse_forged(request, viewer.caller, _text(given, "csrf"))
        secret = request.cookies.get(COOKIE)
        if secret is not None:
            await to_thread(access.sessions.sign_out, secret)
        response = RedirectResponse("/sign-in", 303)
        clear_cookie(response, services)
        return response


def _text(form: FormData, name: str) -> str:
    """Return a field of a form; empty if it is missing or is a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""

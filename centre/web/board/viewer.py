"""Who looks at a page, and what the page may show and offer."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from msgspec import Struct

from centre.web.access import AccessOf, ServicesOf
from centre.web.problem_details import Problem
from centre.web.scopes import Caller, Scope

__all__ = ["EditorOf", "ReaderOf", "SignInNeeded", "Viewer", "ViewerOf", "safe_next"]


class SignInNeeded(Exception):
    """The page is not for strangers."""


class Viewer(Struct, frozen=True, kw_only=True):
    """Somebody who is signed in, or a stranger."""

    caller: Caller | None = None
    is_public: bool = False
    """Whether strangers may read the pages."""

    @property
    def may_read(self) -> bool:
        return self.caller is not None or self.is_public

    @property
    def may_change(self) -> bool:
        """Whether orders may be cancelled and reopened."""
        return self.caller is not None and self.caller.scope.includes(Scope.ORDERS)

    @property
    def sees_operators(self) -> bool:
        """Whether operators are named."""
        return self.caller is not None

    @property
    def user(self) -> str | None:
        return None if self.caller is None else self.caller.user

    @property
    def csrf(self) -> str:
        """The token that this viewer's forms carry."""
        return "" if self.caller is None else self.caller.csrf or ""


def _viewer(request: Request, services: ServicesOf, access: AccessOf) -> Viewer:
    return Viewer(caller=access.caller(request), is_public=services.settings.web.public_read)


ViewerOf = Annotated[Viewer, Depends(_viewer)]


def _reader(viewer: ViewerOf) -> Viewer:
    if not viewer.may_read:
        raise SignInNeeded
    return viewer


ReaderOf = Annotated[Viewer, Depends(_reader)]


async def _editor(request: Request, viewer: ViewerOf, access: AccessOf) -> Viewer:
    if viewer.caller is None:
        raise SignInNeeded
    form = await request.form(max_files=1)
    given = form.get("csrf")
    access.refuse_forged(request, viewer.caller, given if isinstance(given, str) else None)
    if not viewer.may_change:
        raise Problem(403, "Only supervisors and admins may change orders. Ask one of them.")
    return viewer


EditorOf = Annotated[Viewer, Depends(_editor)]
"""A viewer whose form has the session's CSRF token and who may change orders."""


def safe_next(text: str | None) -> str:
    """Return where to go after the sign-in: a path of this site, else the first page."""
    if text is None or not text.startswith("/") or text.startswith(("//", "/\\", "/sign-")):
        return "/"
    if not text.isascii() or not text.isprintable() or "\\" in text:
        return "/"
    parts = urlsplit(text)
    return "/" if parts.scheme or parts.netloc else text

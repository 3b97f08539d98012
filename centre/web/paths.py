"""Paths with percent-encoded slashes: `/api/v1/orders/SO%2F1/cancel` is about the order `SO/1`.

Servers decode the path before the routes are looked up, and the order id would fall apart. `KeepSlashes` takes the path
as it was sent and decodes each segment, but for `/` and `%` inside of a segment. A route's parameter of the type
`Segment` has those decoded too.
"""

from typing import Annotated
from urllib.parse import unquote_to_bytes

from pydantic import AfterValidator
from starlette.types import ASGIApp, Receive, Scope, Send

from centre.web.problem_details import problem_response

__all__ = ["KeepSlashes", "Segment"]


def _kept(segment: str) -> str:
    return segment.replace("%", "%25").replace("/", "%2F")


def _restored(segment: str) -> str:
    return segment.replace("%2F", "/").replace("%25", "%")


Segment = Annotated[str, AfterValidator(_restored)]
"""A parameter of a path: any text, also with slashes in it."""


class KeepSlashes:
    """ASGI middleware that prepares the path for `Segment`. Refuses a path that is not UTF-8."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
            try:
                path = "/".join(_kept(unquote_to_bytes(part).decode("utf-8")) for part in raw.split(b"/"))
            except UnicodeDecodeError:
                await problem_response(400, "The path of the request is not UTF-8.")(scope, receive, send)
                return
            scope = {**scope, "path": path}
        await self._app(scope, receive, send)

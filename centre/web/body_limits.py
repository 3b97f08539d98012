"""How large the body of a request may be. It is enforced while the body arrives, so that memory is bounded."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from centre.web.problem_details import Problem, problem_response

__all__ = ["MAX_BODY_BYTES", "MAX_IMPORT_BYTES", "LimitBody"]

MAX_BODY_BYTES = 256 * 1024
MAX_IMPORT_BYTES = 50 * 1000 * 1000


class LimitBody:
    """ASGI middleware that refuses larger bodies with 413. `larger` has other limits, by the start of the path."""

    def __init__(self, app: ASGIApp, *, larger: Mapping[str, int]) -> None:
        self._app = app
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = next((size for start, size in self._larger.items() if scope["path"].startswith(start)), MAX_BODY_BYTES)
        text = f"The body of the request is larger than {limit} bytes."
        if _announced(scope) > limit:
            await problem_response(413, text, headers={"Connection": "close"})(scope, receive, send)
            return
        received = 0

        async def receiver() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise Problem(413, text, headers={"Connection": "close"})
            return message

        await self._app(scope, receiver, send)


def _announced(scope: Scope) -> int:
    """Return the size that the request announces; 0 if it announces none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else MAX_IMPORT_BYTES + 1
    return 0

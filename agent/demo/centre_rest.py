"""The centre's REST interface, as far as the demo uses it."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from agent.errors import KioskError

__all__ = ["CentreFailed", "CentreRest"]

_PATIENCE_S = 30.0


class CentreFailed(KioskError, OSError):
    """The centre does not start, does not answer, or refuses."""


class CentreRest:
    """Requests with one token. Any thread may use it; each request has a connection of its own."""

    def __init__(self, url: str, token: str) -> None:
        self._url = urlsplit(url)
        self._token = token

    def put(self, path: str, document: Mapping[str, Any]) -> None:
        """Put a resource. Raises CentreFailed."""
        self._request("PUT", path, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def get(self, path: str) -> Any:
        """Return a resource. Raises CentreFailed."""
        return json.loads(self._request("GET", path)[0])

    def events(self, after: str) -> tuple[list[bytes], str]:
        """Return the documents stored after a cursor, and the cursor behind them. Raises CentreFailed."""
        path = f"/events?limit=1000&after={after}" if after else "/events?limit=1000"
        content, headers = self._request("GET", path, headers={"Accept": "application/x-ndjson"})
        return content.splitlines(), headers["resume-after"]

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[bytes, Mapping[str, str]]:
        connection = http.client.HTTPConnection(str(self._url.hostname), self._url.port, timeout=_PATIENCE_S)
        try:
            sent = {"Authorization": f"Bearer {self._token}", **(headers or {})}
            connection.request(method, f"/api/v1{path}", body, sent)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as exc:
            raise CentreFailed(f"the demo's centre does not answer: {exc}") from exc
        finally:
            connection.close()
        if answer.status >= 400:
            raise CentreFailed(f"the demo's centre refuses {method} {path}: {content.decode(errors='replace')}")
        return content, {name.lower(): value for name, value in answer.getheaders()}

"""The retained `status` message of SPEC 5.1, which is also the will."""

import json

__all__ = ["status_document"]


def status_document(
    *, state: str, reason: str | None, version: str | None, journal: str | None, since: str | None
) -> bytes:
    """`state` is `online`, `offline` or `failed`; `since` is UTC text, in a will the time it was left."""
    document = {"state": state, "reason": reason, "version": version, "journal": journal, "since": since}
    return json.dumps(document, separators=(",", ":")).encode()

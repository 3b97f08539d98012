"""Check a manifest before it is stored: what a kiosk would refuse, the centre refuses with the path of each field.

Pure. What a kiosk takes is decided by `agent.contract`; the centre asks for a few things more, see `checked_manifest`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias, cast

import msgspec
from msgspec import Struct
from pydantic_core import from_json

from agent.contract.messages import manifest_of
from agent.contract.refused import MessageRefused
from agent.contract.schemas import MAX_REVISION
from centre.centre_errors import Refused

__all__ = [
    "CheckedManifest",
    "Document",
    "FieldError",
    "ManifestRefused",
    "checked_manifest",
    "compact",
    "field_error",
    "unstorable_texts",
]

Document: TypeAlias = Mapping[str, Any]
"""A JSON object, with whatever fields its source gave it."""

GivenStatus: TypeAlias = Literal["open", "packed", "cancelled"]

MAX_BYTES = 256 * 1024 - 128
"""The kiosk's limit, less room for the revisions that the centre adds."""


class FieldError(Struct, frozen=True):
    """One field that is wrong."""

    path: str
    """`lines.0.quantity`; `message` for the document as a whole."""
    message: str


class ManifestRefused(Refused):
    """A manifest breaks a rule. `fields` names every field that does."""

    def __init__(self, order: str, fields: list[FieldError]) -> None:
        super().__init__(f"order {order!a}: " + "; ".join(f"{field.path}: {field.message}" for field in fields))
        self.order = order
        self.fields = fields


class CheckedManifest(Struct, frozen=True, kw_only=True):
    """A manifest that every kiosk takes."""

    order: str
    revision: int | None
    """None: the centre assigns one."""
    status: GivenStatus | None
    """None: the present one stays."""
    reopen: int | None
    document: Document
    """As it was given, without the fields that are null."""


def compact(document: Document) -> bytes:
    """Return JSON in UTF-8 without blanks."""
    return msgspec.json.encode(document)


def checked_manifest(order: str, given: bytes | Document) -> CheckedManifest:
    """Check a manifest for an order. Raises ManifestRefused.

    Other than in a message, `order`, `revision` and `status` may be left out. `reopen` must not be above `revision`:
    the order could never be packed. No text may contain NUL or half a surrogate pair, which no database stores.
    """
    document = _document(order, given)
    stored = {"order": order, **{key: value for key, value in document.items() if value is not None}}
    _check_text(order, stored)
    message = {"revision": 0, "status": "open", **stored}
    try:
        payload = compact(message)
        if len(payload) > MAX_BYTES:
            raise ManifestRefused(order, [FieldError("message", f"{len(payload)} bytes, more than {MAX_BYTES}")])
        manifest_of(order, payload, topic="order")
    except MessageRefused as exc:
        raise ManifestRefused(order, [field_error(line) for line in exc.fields]) from exc
    except (TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise ManifestRefused(order, [FieldError("message", f"cannot be written as JSON: {exc}")]) from exc
    revision, reopen = stored.get("revision"), stored.get("reopen")
    if revision is not None and reopen is not None and reopen > revision:
        raise ManifestRefused(order, [FieldError("reopen", "Is above the revision: the order could never be packed")])
    if revision == MAX_REVISION:
        raise ManifestRefused(order, [FieldError("revision", "Is the highest there is: no change could follow")])
    return CheckedManifest(
        order=order,
        revision=revision,
        status=cast("GivenStatus | None", stored.get("status")),
        reopen=reopen,
        document=stored,
    )


def _document(order: str, given: bytes | Document) -> Document:
    if isinstance(given, bytes):
        try:
            given = from_json(given, allow_inf_nan=False, cache_strings="keys")
        except ValueError as exc:
            raise ManifestRefused(order, [FieldError("message", f"not JSON: {exc}")]) from exc
    if not isinstance(given, Mapping):
        raise ManifestRefused(order, [FieldError("message", "must be a JSON object")])
    return given


def field_error(line: str) -> FieldError:
    """Return a line of `MessageRefused.fields` as path and message."""
    path, colon, message = line.partition(": ")
    return FieldError(path, message) if colon else FieldError("message", line)


def _check_text(order: str, document: Document) -> None:
    try:
        if b"\\u0000" not in compact(document):
            return
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    wrong = [FieldError(path, "Has a character that cannot be stored") for path in unstorable_texts(document)]
    if wrong:
        raise ManifestRefused(order, wrong)


def unstorable_texts(value: object, path: str = "") -> list[str]:
    """Return the path of each text in a JSON value that a database does not take: NUL, or half a surrogate pair."""
    try:
        return list(_unstorable(value, path))
    except RecursionError:
        return [path or "message"]


def _unstorable(value: object, path: str) -> Iterator[str]:
    """Yield the path of each text with NUL or half a surrogate pair."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            yield path or "message"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unstorable(item, f"{path}.{key}".lstrip("."))
            if isinstance(key, str):
                yield from _unstorable(key, path)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _unstorable(item, f"{path}.{place}".lstrip("."))

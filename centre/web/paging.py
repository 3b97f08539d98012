"""Lists in pages. A cursor names the last item of a page, so pages stay right while rows are added."""

import base64
import json
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from centre.web.problem_details import wrong_field
from centre.web.storable import is_storable

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_LIMIT",
    "MAX_NUMBER",
    "After",
    "Limit",
    "Page",
    "cursor",
    "number_in",
    "parts_of",
    "text_in",
]

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
_MAX_CURSOR = 1_024
MAX_NUMBER = 2**63 - 1

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=f"How many items at most; at most {MAX_LIMIT:,}.")]
After = Annotated[
    str | None, Query(description="Where to go on: `next` of the page before. Cursors are opaque.", examples=[None])
]

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """Some items of a list."""

    items: list[T]
    next: str | None = Field(description="The cursor for `after` of the next page; null: this is the last page.")


def cursor(kind: str, *key: str | int) -> str:
    """Return the cursor that names an item. `kind` is the list's own, so that no other list takes the cursor."""
    return base64.urlsafe_b64encode(json.dumps([kind, *key]).encode()).decode().rstrip("=")


def parts_of(kind: str, text: str | None, *types: type) -> tuple[Any, ...] | None:
    """Return the key of the item that a cursor names: values of these types, `str` or `int`. None without a cursor.

    An empty text is no cursor: programs begin with an empty variable.
    Raise Problem if this is no cursor of the list.
    """
    if not text:
        return None
    try:
        if len(text) > _MAX_CURSOR:
            raise ValueError("too long")
        decoded = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        found_kind, *key = decoded
        if found_kind != kind or [type(part) for part in key] != [*types] or not all(map(_fits, key)):
            raise ValueError("of another list")
    except (ValueError, TypeError, RecursionError):
        raise wrong_field("after", "Must be `next` of a page of this list.") from None
    return tuple(key)


def _fits(value: object) -> bool:
    return is_storable(value) if isinstance(value, str) else isinstance(value, int) and 0 <= value <= MAX_NUMBER


def number_in(kind: str, text: str | None) -> int | None:
    """Return the number that a cursor holds; see `parts_of`."""
    parts = parts_of(kind, text, int)
    return None if parts is None else int(parts[0])


def text_in(kind: str, text: str | None) -> str | None:
    """Return the text that a cursor holds; see `parts_of`."""
    parts = parts_of(kind, text, str)
    return None if parts is None else str(parts[0])

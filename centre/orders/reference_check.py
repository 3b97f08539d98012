"""Check reference data before it is stored: what a kiosk would refuse is refused with the path of each field."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection

from agent.contract.refused import MessageRefused
from centre.centre_errors import Refused
from centre.orders.manifest_check import Document, FieldError, compact, field_error, unstorable_texts
from centre.store.site_rows import all_sites

__all__ = ["Items", "ReferenceRefused", "check_part", "check_site", "checked_items"]

Items: TypeAlias = Sequence[Document]

_PART = re.compile("[A-Za-z0-9_-]{1,64}", re.ASCII)


class ReferenceRefused(Refused):
    """A list breaks a rule. `fields` names every field that does."""

    def __init__(self, what: str, fields: list[FieldError]) -> None:
        super().__init__(f"{what}: " + "; ".join(f"{field.path}: {field.message}" for field in fields))
        self.fields = fields


def check_site(connection: Connection, site: str) -> None:
    """Raise ReferenceRefused if the centre does not serve the site."""
    known = all_sites(connection)
    if site not in known:
        raise ReferenceRefused(f"site {site!a}", [FieldError("site", f"Must be one of {', '.join(known)}")])


def check_part(part: str) -> None:
    """Raise ReferenceRefused if the text cannot be the name of a part of a list."""
    if not _PART.fullmatch(part):
        raise ReferenceRefused("blocked units", [FieldError("part", "Must be 1 to 64 of A-Z, a-z, 0-9, _ and -")])


def checked_items(what: str, items: object, parse: Callable[[bytes], object], **more: Any) -> None:
    """Check the items of a list as a kiosk does. Raises ReferenceRefused.

    `parse` reads the message; `more` are its fields beside `revision` and `items`.
    """
    wrong = [FieldError(path, "Has a character that cannot be stored") for path in unstorable_texts(items, "items")]
    if wrong:
        raise ReferenceRefused(what, wrong)
    try:
        parse(compact({"revision": 2**63 - 1, **more, "items": items}))
    except MessageRefused as exc:
        raise ReferenceRefused(what, [field_error(line) for line in exc.fields]) from exc
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as exc:
        raise ReferenceRefused(what, [FieldError("items", f"cannot be written as JSON: {exc}")]) from exc

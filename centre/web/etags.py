"""Versions of resources: the headers `ETag`, `If-Match` and `If-None-Match` (RFC 9110, section 13)."""

import re
from typing import Annotated

from fastapi import Header

from centre.web.problem_details import Problem

__all__ = ["IfChanged", "IfMatch", "IfNoneMatch", "check_preconditions", "etag", "is_unchanged"]

_TAG = re.compile(r'\s*(?:(W/)?"([^"]*)"|(\*))\s*(?:,|$)')

IfMatch = Annotated[
    str | None, Header(description="Carry it out only if this is the resource's present `ETag`; else 412.")
]
IfNoneMatch = Annotated[
    str | None, Header(description="`*`: carry it out only if there is no such resource yet; else 412.")
]

IfChanged = Annotated[
    str | None, Header(alias="If-None-Match", description="The `ETag` that the reader has: if it is still so, 304.")
]


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def check_preconditions(present: str | None, if_match: str | None, if_none_match: str | None) -> None:
    """Raise Problem 412 unless a resource may be replaced. `present` is its tag; None: there is none.

    Call it in the transaction of the change.
    """
    if if_match is not None and not _names(if_match, present, weak=False):
        now = "There is no such resource" if present is None else f"Its ETag is now {present}"
        raise Problem(412, f"{now}: somebody has changed it. Read it again.")
    if if_none_match is not None and _names(if_none_match, present, weak=True):
        raise Problem(412, "There is such a resource already.")


def is_unchanged(present: str, if_none_match: str | None) -> bool:
    """Return whether the reader has this version already, so that 304 is the answer."""
    return if_none_match is not None and _names(if_none_match, present, weak=True)


def _names(header: str, present: str | None, *, weak: bool) -> bool:
    """Return whether a list of tags has the present one. `weak`: whether weak tags count."""
    if present is None:
        return False
    return any(star or (f'"{tag}"' == present and (weak or not is_weak)) for is_weak, tag, star in _TAG.findall(header))

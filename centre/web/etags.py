"""Versions of resources: the headers `ETag`, `If-Match` and `If-None-Match` (RFC 9110, section 13)."""

import re
from collections.abc import Sequence
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


def etag(version: int, variant: str = "") -> str:
    """Return the entity tag of a version, and of a variant of it."""
    return f'"{version}{variant}"'


def check_preconditions(present: Sequence[str], if_match: str | None, if_none_match: str | None) -> None:
    """Raise Problem 412 unless a resource may be replaced. `present` are its tags; empty: there is no such resource.

    Call it in the transaction of the change.
    """
    if if_match is not None and not _names(if_match, present, weak=False):
        now = f"Its ETag is now {present[0]}" if present else "There is no such resource"
        raise Problem(412, f"{now}: somebody has changed it. Read it again.")
    if if_none_match is not None and _names(if_none_match, present, weak=True):
        raise Problem(412, "There is such a resource already.")


def is_unchanged(present: str, if_none_match: str | None) -> bool:
    """Return whether the reader has this version already, so that 304 is the answer."""
    return if_none_match is not None and _names(if_none_match, [present], weak=True)


def _names(header: str, present: Sequence[str], *, weak: bool) -> bool:
    """Return whether a list of tags has a present one. `weak`: whether weak tags count."""
    if not present:
        return False
    return any(star or (f'"{tag}"' in present and (weak or not is_weak)) for is_weak, tag, star in _TAG.findall(header))

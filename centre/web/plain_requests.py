"""What every request to REST must be: each parameter once, and as text that can be stored."""

from collections import Counter

from fastapi import Request

from centre.web.problem_details import shown, wrong_fields
from centre.web.storable import is_storable

__all__ = ["check_parameters"]


def check_parameters(request: Request) -> None:
    """Raise Problem 422 for parameters that come twice, or hold NUL."""
    given = request.query_params.multi_items()
    wrong = [
        (shown(name), "Must not be given twice.") for name, times in Counter(name for name, _ in given).items()
        if times > 1
    ]  # fmt: skip
    wrong += [
        (shown(name), "Must not have NUL in it.")
        for name, value in [*given, *request.path_params.items()]
        if not is_storable(str(value))
    ]
    if wrong:
        raise wrong_fields(wrong)

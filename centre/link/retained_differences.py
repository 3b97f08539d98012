"""What of the retained messages a broker must still get. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from centre.store.retained_rows import RetainedRow

__all__ = ["EMPTY_DIGEST", "differences", "digest_of"]


def digest_of(payload: bytes) -> bytes:
    """Return the SHA-256 by which payloads are compared."""
    return hashlib.sha256(payload).digest()


EMPTY_DIGEST = digest_of(b"")
"""Of a topic on which nothing is retained."""


def differences(rows: Iterable[RetainedRow], held: Mapping[str, bytes]) -> Iterator[RetainedRow]:
    """Yield the rows that a broker does not have, in their order; `held` has the digests of what it has, by topic.

    A topic that is not in `held` is unknown. It is published even if it should be empty: that does no harm.
    """
    return (row for row in rows if held.get(row.topic) != digest_of(row.payload))

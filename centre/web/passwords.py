"""Passwords: argon2id with the library's parameters, those of RFC 9106 for little memory (64 MiB, 3 passes)."""

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["MAX_PASSWORD_BYTES", "hash_password", "is_password"]

MAX_PASSWORD_BYTES = 1024

_hasher = PasswordHasher()

# Each check takes 64 MiB and a processor. Without a bound, sign-ins that come at once would take all memory.
_turns = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """Return the hash of a password, with its salt and parameters."""
    with _turns:
        return _hasher.hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Return whether this is the password of the stored hash. It takes as long without one, and is then False."""
    if len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_BYTES:
        return False
    known = stored or _hash_of_nobody()
    with _turns:
        try:
            return _hasher.verify(known, password) and stored is not None
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False


@cache
def _hash_of_nobody() -> str:
    return hash_password(secrets.token_urlsafe())

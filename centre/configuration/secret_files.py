"""Files that hold one secret. A secret is read where it is used, so that no model, log line or message holds it."""

import base64
import binascii
from pathlib import Path

__all__ = ["read_regular", "secret_in", "webhook_key_in"]

_MAX_BYTES = 65_535
_KEY_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)


def read_regular(file: Path) -> bytes:
    """Return the start of a file, 64 KiB at most. Raises OSError, also for a FIFO or a device, which could block."""
    if file.exists() and not file.is_file():
        raise OSError(0, "not a regular file")
    with file.open("rb") as stream:
        return stream.read(_MAX_BYTES + 1)


def secret_in(file: Path) -> str:
    """Return the secret in a file, without its line end. Raises OSError, or ValueError with what is expected."""
    data = read_regular(file)
    try:
        secret = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError("UTF-8 text") from None
    if not secret or len(data) > _MAX_BYTES:
        raise ValueError(f"one line of 1 to {_MAX_BYTES} bytes")
    return secret


def webhook_key_in(file: Path) -> bytes:
    """Return the key in a file that holds `whsec_` and the key in base64 (Standard Webhooks). Raises as `secret_in`."""
    expected = f"{_KEY_PREFIX} and {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes in base64"
    secret = secret_in(file)
    try:
        key = base64.b64decode(secret.removeprefix(_KEY_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(expected) from None
    if not secret.startswith(_KEY_PREFIX) or len(key) not in _KEY_BYTES:
        raise ValueError(expected)
    return key

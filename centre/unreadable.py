"""What reading JSON of others may raise. A document nested a thousand levels deep is one of the ways to be no JSON."""

from msgspec import MsgspecError

__all__ = ["UNREADABLE"]

UNREADABLE = (MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec's decoders raise for bytes that they cannot read."""

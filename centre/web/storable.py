"""Text that a database can store: valid Unicode without NUL. What a stranger sends may be anything."""

__all__ = ["is_storable"]


def is_storable(text: str) -> bool:
    """Return whether both databases take this text. PostgreSQL has no NUL; lone surrogates are no UTF-8."""
    if "\0" in text:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

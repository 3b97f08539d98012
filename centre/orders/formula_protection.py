"""Keeping a spreadsheet from running what a cell says. Pure."""

__all__ = ["protected"]

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def protected(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: with an apostrophe in front, where it could be one."""
    return "'" + text if text.lstrip(" ").startswith(_DANGEROUS) else text

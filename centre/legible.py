r"""Text from outside made safe to print: it stays on one line, and sends no control sequence to a terminal."""

__all__ = ["legible", "quoted"]

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def legible(text: str) -> str:
    r"""Return the text with unprintable characters and backslashes as `\n`, `\x1d`, `\\` …"""
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(char if char.isprintable() and char != "\\" else _escaped(char) for char in text)


def quoted(text: str) -> str:
    """Return the text, legible, in double quotes."""
    return '"' + legible(text).replace('"', '\\"') + '"'

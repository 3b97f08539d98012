"""Editing one line at a terminal that echoes nothing: what a person types, made into lines. Pure."""

__all__ = ["LineEditor"]

_MAX_BYTES = 4096
_RUB_OUT = (0x08, 0x7F)
_LINE_ENDS = (0x0A, 0x0D)
_END_OF_INPUT = 0x04
_KILL_LINE = 0x15
_ESCAPE = 0x1B


class LineEditor:
    """Takes bytes as they are typed; backspace and Ctrl-U work, arrow and function keys do nothing.

    Control characters that scanners send (GS among them) stay in the line. Ctrl-D in an empty line ends the input.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._escape = b""  # what has come of an escape sequence (ECMA-48)
        self.is_over = False

    @property
    def line(self) -> str:
        """The line so far."""
        return self._line.decode("utf-8", "backslashreplace")

    def feed(self, typed: bytes) -> list[bytes]:
        """The lines that these bytes complete, without their ends; empty ones are left out."""
        lines = []
        for byte in typed:
            if self._escape:
                self._go_on_with_escape(byte)
            elif byte in _LINE_ENDS:
                if self._line:
                    lines.append(bytes(self._line))
                self._line.clear()
            else:
                self._edit(byte)
        return lines

    def rest(self) -> bytes:
        """The input is over: the line that was not ended, and it is empty from now on."""
        line = bytes(self._line)
        self._line.clear()
        return line

    def _edit(self, byte: int) -> None:
        if byte in _RUB_OUT:
            # A letter beyond ASCII is several bytes, all but the first of them 10xxxxxx.
            while self._line and self._line.pop() & 0xC0 == 0x80:
                pass
        elif byte == _KILL_LINE:
            self._line.clear()
        elif byte == _END_OF_INPUT:
            self.is_over = self.is_over or not self._line
        elif byte == _ESCAPE:
            self._escape = b"\x1b"
        elif len(self._line) < _MAX_BYTES:
            self._line.append(byte)

    def _go_on_with_escape(self, byte: int) -> None:
        opens = self._escape == b"\x1b" and byte in b"[O"
        ends = not opens and (0x40 <= byte <= 0x7E or self._escape == b"\x1b" or byte in _LINE_ENDS)
        self._escape = b"" if ends else self._escape + bytes([byte])

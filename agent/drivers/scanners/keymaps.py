"""Keyboard layouts, and the conversion of a keyboard wedge's key events to the bytes that its scanner sends. Pure.

The kernel reports key positions, named after the US layout; the character of a position depends on the layout. A
scanner presses keys for the country it is set to, so the layout must be that of the scanner, whatever the host's is.
Key codes are those of linux/input-event-codes.h, layouts those of the Windows and xkb maps us, de, fr and gb.
"""

from unicodedata import normalize

__all__ = ["LAYOUTS", "Keyboard", "Layout"]

KEY_TAB = 15
KEY_LEFTCTRL, KEY_RIGHTCTRL = 29, 97
KEY_LEFTSHIFT, KEY_RIGHTSHIFT = 42, 54
KEY_LEFTALT, KEY_RIGHTALT = 56, 100
KEY_LEFTMETA, KEY_RIGHTMETA = 125, 126
KEY_CAPSLOCK, KEY_NUMLOCK, KEY_SCROLLLOCK = 58, 69, 70
KEY_FN = 464

_POSITIONS = (
    (41, *range(2, 14)),  # grave, 1 … 0, minus, equal
    tuple(range(16, 28)),  # Q … P, left brace, right brace
    (*range(30, 41), 43),  # A … L, semicolon, apostrophe, backslash
    (86, *range(44, 54)),  # the key left of Z on European keyboards, Z … M, comma, dot, slash
)
"""The character keys, row by row from the left. The rows of the layouts below have this order."""

_FIXED = {
    1: "\x1b", 14: "\b", KEY_TAB: "\t", 28: "\r", 57: " ", 96: "\r",
    98: "/", 55: "*", 74: "-", 78: "+", 117: "=", 121: ",", 179: "(", 180: ")", 101: "\n",
}  # fmt: skip
"""Keys that are the same on every layout: Esc, Backspace, Tab, Enter, Space, line feed, and the numeric pad without its
digits."""

_PAD_DIGITS = {82: "0", 79: "1", 80: "2", 81: "3", 75: "4", 76: "5", 77: "6", 71: "7", 72: "8", 73: "9"}
_PAD_DOT = 83

_NOTHING = "\0"  # in a row: no character

_DEAD = {"^": "\u0302", "´": "\u0301", "`": "\u0300", "¨": "\u0308", "~": "\u0303"}
"""Dead keys by their accent, with the combining character that they put on the next letter."""

GS = "\x1d"

UNDECODABLE = b"\xff"
"""For a key that types no character: bytes that never decode, so the scan is unreadable, not shorter."""


class Layout:
    """One country's keyboard: which character each key types alone, with Shift and with AltGr.

    `plain` and `shift` are the rows of `_POSITIONS`. `alt_gr` maps plain characters to what their keys type with AltGr.
    `dead` are the (level, character) pairs of dead keys.
    """

    __slots__ = ("alt_gr", "dead", "name", "oem_code_page", "pad_dot", "plain", "shift")

    def __init__(
        self,
        *,
        name: str,
        plain: tuple[str, str, str, str],
        shift: tuple[str, str, str, str],
        alt_gr: dict[str, str],
        dead: frozenset[tuple[str, str]] = frozenset(),
        pad_dot: str = ".",
        oem_code_page: str = "cp850",
    ) -> None:
        self.name = name
        self.plain = _codes(plain)
        self.shift = _codes(shift)
        code_of = {char: code for code, char in self.plain.items()}
        self.alt_gr = {code_of[key]: char for key, char in alt_gr.items()}
        self.dead = dead
        self.pad_dot = pad_dot
        self.oem_code_page = oem_code_page


def _codes(rows: tuple[str, str, str, str]) -> dict[int, str]:
    return {
        code: char
        for positions, row in zip(_POSITIONS, rows, strict=True)
        for code, char in zip(positions, row, strict=True)
        if char != _NOTHING
    }


US = Layout(
    name="us",
    plain=("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", "<zxcvbnm,./"),
    shift=("~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"|', ">ZXCVBNM<>?"),
    alt_gr={},
    oem_code_page="cp437",
)

UK = Layout(
    name="uk",
    plain=("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "\\zxcvbnm,./"),
    shift=('¬!"£$%^&*()_+', "QWERTYUIOP{}", "ASDFGHJKL:@~", "|ZXCVBNM<>?"),
    alt_gr={"`": "¦", "4": "€", "a": "á", "e": "é", "i": "í", "o": "ó", "u": "ú"},
)

DE = Layout(
    name="de",
    plain=("^1234567890ß´", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"),
    shift=('°!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"),
    alt_gr={
        "2": "²", "3": "³", "7": "{", "8": "[", "9": "]", "0": "}",
        "ß": "\\", "q": "@", "e": "€", "+": "~", "<": "|", "m": "µ",
    },
    dead=frozenset({("plain", "^"), ("plain", "´"), ("shift", "`")}),
    pad_dot=",",
)  # fmt: skip

FR = Layout(
    name="fr",
    plain=("²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "<wxcvbn,;:!"),
    shift=("\x001234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", ">WXCVBN?./§"),
    alt_gr={
        "é": "~", '"': "#", "'": "{", "(": "[", "-": "|", "è": "`", "_": "\\", "ç": "^", "à": "@",
        ")": "]", "=": "}", "e": "€", "$": "¤",
    },
    dead=frozenset({("plain", "^"), ("shift", "¨"), ("alt_gr", "~"), ("alt_gr", "`")}),
)  # fmt: skip

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (US, DE, FR, UK)}


class Keyboard:
    """The state of one keyboard wedge, and what its keys type: UTF-8, Enter as CR, Ctrl+key as a control byte.

    A character may also be typed as Alt + its decimal code on the numeric pad, as on Windows: with a leading zero in
    code page 1252, else in the country's old code page. Below 128 both are ASCII. `gs_key` is the code of the key that
    types GS, whatever else it would type.
    """

    __slots__ = ("_alt_code", "_caps_lock", "_gs_key", "_held", "_layout", "_pending_accent")

    def __init__(self, layout: Layout, *, gs_key: int | None = None) -> None:
        self._layout = layout
        self._gs_key = gs_key
        self.reset()

    def reset(self) -> None:
        """Forget held keys, Caps Lock and half-typed characters: some key events were lost."""
        self._held: set[int] = set()
        self._caps_lock = False
        self._alt_code = ""
        self._pending_accent = ""

    def press(self, code: int, value: int) -> bytes:
        """Process one EV_KEY event (`value` 1 pressed, 0 released, 2 repeated); return the bytes that it types.

        A key that types no character on a computer (a function key, an arrow) gives `UNDECODABLE`; a modifier or a lock
        gives nothing (`scanning.md#keys-that-type-nothing`).
        """
        if value == 0:
            return self._release(code)
        if value != 1:
            return b""
        if code == self._gs_key:
            return self._typed(GS, dead=False)
        if code in _MODIFIERS:
            self._held.add(code)
            return b""
        if code in _LOCKS:
            self._caps_lock = self._caps_lock != (code == KEY_CAPSLOCK)
            return b""
        if not self._held.isdisjoint(_META):
            return UNDECODABLE
        digit = _PAD_DIGITS.get(code)
        if digit is not None and self._alt and not self._ctrl:
            self._alt_code += digit
            return b""
        fixed = digit or _FIXED.get(code) or (self._layout.pad_dot if code == _PAD_DOT else None)
        if fixed is not None:
            return self._typed(fixed, dead=False)
        if code not in _CHARACTER_KEYS:
            return UNDECODABLE
        return self._character(code)

    @property
    def _alt(self) -> bool:
        return KEY_LEFTALT in self._held or KEY_RIGHTALT in self._held

    @property
    def _ctrl(self) -> bool:
        return KEY_LEFTCTRL in self._held or KEY_RIGHTCTRL in self._held

    @property
    def _shift(self) -> bool:
        return KEY_LEFTSHIFT in self._held or KEY_RIGHTSHIFT in self._held

    def _release(self, code: int) -> bytes:
        self._held.discard(code)
        if not self._alt_code or self._alt:
            return b""
        typed, self._alt_code = self._alt_code, ""
        code_page = "cp1252" if typed.startswith("0") else self._layout.oem_code_page
        try:
            # Windows takes the code modulo 256, too. The last nine digits of a long number are enough.
            char = bytes([int(typed[-9:]) % 256]).decode(code_page)
        except UnicodeDecodeError:
            return UNDECODABLE
        return self._typed(char, dead=False)

    def _character(self, code: int) -> bytes:
        layout = self._layout
        if self._ctrl and not self._alt:
            return self._control(code)
        if self._alt:
            alt_gr = KEY_RIGHTALT in self._held or self._ctrl  # on Windows, Ctrl+Alt is AltGr
            char = layout.alt_gr.get(code) if alt_gr else None
            if char is not None and self._ctrl and KEY_RIGHTALT in self._held:
                return _control_of(char) or char.encode()
            return self._typed(char, dead=("alt_gr", char) in layout.dead) if char else UNDECODABLE
        plain, shifted = layout.plain.get(code), layout.shift.get(code)
        shift = self._shift
        if self._caps_lock and plain is not None and plain.isalpha() and plain.upper() == shifted:
            shift = not shift
        char = shifted if shift else plain
        if char is None:
            return UNDECODABLE
        return self._typed(char, dead=("shift" if shift else "plain", char) in layout.dead)

    def _control(self, code: int) -> bytes:
        """Return the control byte of Ctrl+key: by the layout, or if its character has none, by the US key there."""
        for layout in (self._layout, US):
            for level in (layout.plain, layout.shift):
                control = _control_of(level.get(code, ""))
                if control is not None:
                    return control
        return UNDECODABLE

    def _typed(self, char: str, *, dead: bool) -> bytes:
        accent, self._pending_accent = self._pending_accent, ""
        if dead:
            self._pending_accent = char
            return accent.encode()
        if accent:
            if char == " ":
                return accent.encode()
            composed = normalize("NFC", char + _DEAD[accent])
            return (composed if len(composed) == 1 else accent + char).encode()
        return char.encode()


_META = frozenset({KEY_LEFTMETA, KEY_RIGHTMETA})
_MODIFIERS = _META | {
    KEY_LEFTCTRL, KEY_RIGHTCTRL, KEY_LEFTSHIFT, KEY_RIGHTSHIFT, KEY_LEFTALT, KEY_RIGHTALT, KEY_FN
}  # fmt: skip
_LOCKS = frozenset({KEY_CAPSLOCK, KEY_NUMLOCK, KEY_SCROLLLOCK})
_CHARACTER_KEYS = frozenset(code for row in _POSITIONS for code in row)


def _control_of(char: str) -> bytes | None:
    """Return the control byte of Ctrl + a character from `@` to `_` (letters in either case); None for others."""
    upper = char.upper()
    return bytes([ord(upper) & 0x1F]) if len(upper) == 1 and "@" <= upper <= "_" else None

"""The notation of the tables: text in which `<…>` stands for what cannot be written plainly.

In bytes: `<GS>`, `<CR>`, `<LF>`, `<TAB>`, `<NUL>`, `<ESC>`; `<x9F>` is one byte; `<ZK QTY 12>` is a command barcode,
`<ZB 7Q4MX2TA>` a badge and `<ZL 0042>` a box label that we print; `<badge E7>` is an operator's badge. Everything else
is UTF-8. `<PAUSE 300>` waits 300 ms.

In keys, text is typed by the positions that a US keyboard has for it, whatever the layout of the scanner. `<KEY_DOWN>`
is a key by its kernel name, `<CTRL+]>` or `<ALTGR+KEY_Q>` a key with a modifier held, `<ALT+029>` a code on the
numeric pad with Alt held. `<REPEAT KEY_A>` is an automatic repetition, `<DROPPED>` a loss of events in the kernel.
From `<NODE 2>` on, keys come from the second event node of the scanner.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evdev import ecodes

from harness.codes import badge, box_label, command
from harness.warehouse import BADGES

__all__ = ["Pause", "Piece", "in_packets", "pieces_of_bytes", "pieces_of_keys", "plain_bytes"]

_PART = re.compile(r"<([^<>]+)>|([^<]+)|(<)")
_NAMED = {"GS": b"\x1d", "CR": b"\r", "LF": b"\n", "TAB": b"\t", "NUL": b"\0", "ESC": b"\x1b"}
_PRINTED: dict[str, Callable[..., str]] = {"ZK": command, "ZB": badge, "ZL": box_label}

_EVENT = struct.Struct("@llHHi")
_EV_SYN, _EV_KEY, _EV_MSC = 0, 1, 4
_SYN_REPORT, _SYN_DROPPED = 0, 3
_MODIFIERS = {
    "CTRL": ecodes.KEY_LEFTCTRL, "SHIFT": ecodes.KEY_LEFTSHIFT, "ALT": ecodes.KEY_LEFTALT, "ALTGR": ecodes.KEY_RIGHTALT,
}  # fmt: skip
_US_SIGNS = {
    " ": "SPACE", "-": "MINUS", "=": "EQUAL", "[": "LEFTBRACE", "]": "RIGHTBRACE", ";": "SEMICOLON", "'": "APOSTROPHE",
    "`": "GRAVE", "\\": "BACKSLASH", ",": "COMMA", ".": "DOT", "/": "SLASH",
}  # fmt: skip
_US_SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True))


@dataclass(frozen=True)
class Pause:
    """The scanner sends nothing for `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Piece:
    """Bytes of a serial line, or packed input events of the event node with that number."""

    data: bytes
    node: int = 1


def plain_bytes(text: str) -> bytes:
    """Return the bytes of a text without pauses."""
    data = b""
    for piece in pieces_of_bytes(text):
        assert isinstance(piece, Piece), f"a pause in {text}"
        data += piece.data
    return data


def pieces_of_bytes(text: str) -> list[Piece | Pause]:
    """Return what a serial scanner sends."""
    return _joined(_pause(mark) or Piece(_bytes_of(mark) if mark else plain.encode()) for mark, plain in _parts(text))


def pieces_of_keys(text: str) -> list[Piece | Pause]:
    """Return what the event nodes of a keyboard wedge deliver."""

    def pieces() -> Iterator[Piece | Pause]:
        node = 1
        for mark, plain in _parts(text):
            if mark.startswith("NODE "):
                node = int(mark.split()[1])
            else:
                typed = _press_of(mark) if mark else b"".join(map(_type, plain))
                yield _pause(mark) or Piece(typed, node)

    return _joined(pieces())


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield (what stands between angle brackets, plain text); one of them is empty."""
    for mark, plain, stray in _PART.findall(text):
        assert not stray, f"a < without its > in {text}"
        yield mark, plain


def _joined(pieces: Iterator[Piece | Pause]) -> list[Piece | Pause]:
    found: list[Piece | Pause] = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, Piece) and isinstance(last, Piece) and last.node == piece.node:
            found[-1] = Piece(last.data + piece.data, piece.node)
        else:
            found.append(piece)
    return found


def _pause(mark: str) -> Pause | None:
    return Pause(int(mark.split()[1]) / 1000) if mark.startswith("PAUSE ") else None


def _bytes_of(mark: str) -> bytes:
    if mark.startswith("PAUSE "):
        return b""
    if mark in _NAMED:
        return _NAMED[mark]
    if re.fullmatch("x[0-9A-F]{2}", mark):
        return bytes.fromhex(mark[1:])
    kind, *words = mark.split()
    if kind == "badge":
        return BADGES[words[0]].encode()
    return _PRINTED[kind](*words).encode()


# -- keys ------------------------------------------------------------------------------------------------------------


def in_packets(events: bytes) -> Iterator[bytes]:
    """Yield packed input events in writes for a pipe in packet mode (O_DIRECT): a reader gets whole events only."""
    size = _EVENT.size * 64
    return (events[at : at + size] for at in range(0, len(events), size))


def _event(kind: int, code: int, value: int) -> bytes:
    return _EVENT.pack(0, 0, kind, code, value)


def _key(code: int, value: int) -> bytes:
    """Return one key event as a USB keyboard gives it: its usage, the key, a report."""
    return _event(_EV_MSC, 4, 0x70000 + code) + _event(_EV_KEY, code, value) + _event(_EV_SYN, _SYN_REPORT, 0)


def _stroke(code: int) -> bytes:
    return _key(code, 1) + _key(code, 0)


def _with(modifiers: list[int], typed: bytes) -> bytes:
    down = b"".join(_key(one, 1) for one in modifiers)
    return down + typed + b"".join(_key(one, 0) for one in reversed(modifiers))


def _position(character: str) -> tuple[int, bool]:
    """Return the key that types a character on a US keyboard, and whether Shift is held."""
    if character in _US_SHIFTED:
        return _position(_US_SHIFTED[character])[0], True
    name = _US_SIGNS.get(character, character.upper())
    return getattr(ecodes, f"KEY_{name}"), character.isupper()


def _type(character: str) -> bytes:
    code, shifted = _position(character)
    return _with([_MODIFIERS["SHIFT"]] if shifted else [], _stroke(code))


def _press_of(mark: str) -> bytes:
    if mark.startswith("PAUSE "):
        return b""
    if mark == "DROPPED":
        return _event(_EV_SYN, _SYN_DROPPED, 0) + _event(_EV_SYN, _SYN_REPORT, 0)
    if mark == "ENTER":
        return _stroke(ecodes.KEY_ENTER)
    if mark.startswith("REPEAT "):
        return _key(getattr(ecodes, mark.split()[1]), 2)
    *held, last = mark.split("+")
    modifiers = [_MODIFIERS[name] for name in held]
    if held == ["ALT"] and last.isdigit():
        return _with(modifiers, b"".join(_stroke(getattr(ecodes, f"KEY_KP{digit}")) for digit in last))
    return _with(modifiers, _stroke(getattr(ecodes, last) if last.startswith("KEY_") else _position(last)[0]))

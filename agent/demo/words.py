"""What may be typed instead of a barcode: `badge e7`, `order so-1001`, `imei 1`, `qty 2`, `save` … Pure.

Anything else is taken as the barcode itself, so that a real scanner works here too.
"""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from agent.contract.printed_codes import Verb, command_text
from agent.demo.sample import ORDERS, STRANGER, Shelf, badge_of

__all__ = ["HELP", "Leave", "Remark", "Scan", "Typed", "typed_of"]


class Scan(Struct, frozen=True):
    """A barcode to be scanned."""

    code: str


class Remark(Struct, frozen=True):
    """Nothing to scan: a text for the person at the keyboard."""

    text: str


class Leave(Struct, frozen=True):
    """The end of the demo."""


Typed = Scan | Remark | Leave

HELP = (
    "badge e7 · order so-1001 · imei 1, imei bad, imei other · serial 1 · product 1 · qty 2 · save · box s|m|l · "
    "label 1 · mode used|dist|pos · kind serial|sku|auto · role pick|pack|ship|all · pack · confirm · undo · remove · "
    "cancel · close · out · where · repeat · quit · or any barcode"
)

_COMMANDS = {verb.lower(): verb for verb in Verb}
_WITH_ARGUMENT = frozenset((Verb.MODE, Verb.KIND, Verb.ROLE, Verb.QTY, Verb.BOX))
_ARGUMENT = re.compile(r"[A-Za-z0-9]{0,64}", re.ASCII)


def typed_of(text: str, shelf: Shelf) -> Typed:
    """Return what a typed line means. `shelf` is that of the open order."""
    word, _, rest = text.strip(" ").partition(" ")
    word, rest = word.lower(), rest.strip(" ")
    if word in ("help", "?") and not rest:
        return Remark(HELP)
    if word in ("quit", "exit", "bye") and not rest:
        return Leave()
    if word in _COMMANDS and (not rest or _COMMANDS[word] in _WITH_ARGUMENT) and _ARGUMENT.fullmatch(rest):
        return Scan(command_text(_COMMANDS[word], rest.upper()))
    if word in _THINGS and rest:
        return _THINGS[word](rest.lower(), shelf)
    return Scan(text.strip(" "))


def _badge(name: str, _shelf: Shelf) -> Typed:
    badge = badge_of(name.upper())
    return Remark(f"nobody here is {name.upper()}: badge e7, badge e8 or badge e9") if badge is None else Scan(badge)


def _order(name: str, _shelf: Shelf) -> Typed:
    ids = [str(order["order"]) for order in ORDERS]
    return Scan(_numbered(name, ids) or name.upper())


def _imei(which: str, shelf: Shelf) -> Typed:
    imeis = [imei for imei, _ in shelf.imeis]
    if which == "other":
        return Scan(STRANGER)
    if which == "bad":
        if not imeis:
            return Remark("this order has no imei")
        # The last digit is the check digit, so any other one is wrong.
        return Scan(imeis[0][:-1] + str((int(imeis[0][-1]) + 1) % 10))
    return _one_of(which, imeis, "imei")


def _serial(which: str, shelf: Shelf) -> Typed:
    return _one_of(which, [serial for serial, _ in shelf.serials], "serial")


def _product(which: str, shelf: Shelf) -> Typed:
    return _one_of(which, shelf.products, "product")


def _label(which: str, shelf: Shelf) -> Typed:
    return _one_of(which, shelf.labels, "label")


_THINGS: dict[str, Callable[[str, Shelf], Typed]] = {
    "badge": _badge,
    "order": _order,
    "imei": _imei,
    "serial": _serial,
    "product": _product,
    "sku": _product,
    "label": _label,
}


def _numbered(which: str, of: Sequence[str]) -> str | None:
    if not (which.isascii() and which.isdigit() and len(which) < 5):
        return None
    number = int(which)
    return of[number - 1] if 1 <= number <= len(of) else None


def _one_of(which: str, of: Sequence[str], word: str) -> Typed:
    code = _numbered(which, of)
    if code is not None:
        return Scan(code)
    if not of:
        return Remark(f"this order has no {word}")
    return Remark(f"of this order there are {word} 1 to {word} {len(of)}" if len(of) > 1 else f"there is {word} 1 only")

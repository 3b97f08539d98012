"""Reference data that no label can match: put right where that is certain, and told.

Rule: `mqtt.md#data-that-no-label-can-match`.

All functions are pure. Flaws are lines for a person. They name order, line and field, and never the text of a badge.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec.structs import replace

from agent.contract.check_digits import is_digits
from agent.contract.command_arguments import is_good_argument
from agent.contract.identifiers import gtin14, imei_ok
from agent.contract.manifest import Line, Manifest, same_case
from agent.contract.printed_codes import Command, is_our_badge, is_our_label, parse_command

__all__ = ["Flaws", "clean_identifier", "clean_units", "is_ours", "manifest_flaws", "trimmed"]

_MAX_FLAWS = 20
_MAX_SHOWN = 80

_BLANKS = " \t\r\n\v\f\u00a0\u1680\u202f\u205f\u3000\u200b\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
_SEPARATORS = str.maketrans("", "", _BLANKS + "-./\u2010\u2011\u2012\u2013\u2014\u2212")
"""What people and spreadsheets put between the digits of an IMEI."""

_PLAIN = re.compile(r"[0-9A-Za-z]*")
_GTIN_LENGTHS = frozenset((8, 12, 13, 14))
_NO_IMEI = "0" * 15


class Flaws:
    """The flaws of one message, in the order in which they were found; no more than a person reads."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._lines: list[str] = []
        self._left_out = 0

    def add(self, where: str, what: str) -> None:
        if len(self._lines) < _MAX_FLAWS:
            self._lines.append(f"{self._subject}, {where}: {what}")
        else:
            self._left_out += 1

    def lines(self) -> tuple[str, ...]:
        if not self._left_out:
            return tuple(self._lines)
        return (*self._lines, f"{self._subject}: and {self._left_out} more")


def _shown(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + "..."


# -- putting right -----------------------------------------------------------------------------------------------


def trimmed(text: str) -> str:
    """Return a code without blanks at its ends. A code of blanks alone stays as it is."""
    return text.strip(_BLANKS) or text


def clean_identifier(text: str) -> str:
    """Return a unit's identifier without blanks at its ends, and without separators if it is a valid IMEI then."""
    bare = text.translate(_SEPARATORS)
    return bare if imei_ok(bare) else trimmed(text)


def clean_units(lines: Sequence[Line], flaws: Flaws) -> tuple[Line, ...]:
    """Return the lines with their listed units put right. What is the same after that is one; the first one stays."""
    if _PLAIN.fullmatch("".join(chain.from_iterable(chain.from_iterable(line.units for line in lines)))):
        return tuple(lines)
    return _UnitCleaner(flaws).clean(lines)


class _UnitCleaner:
    def __init__(self, flaws: Flaws) -> None:
        self._flaws = flaws
        self._written: dict[str, str] = {}
        """How each identifier was written first."""
        self._places: dict[str, tuple[int, int]] = {}
        """Line and unit of each identifier."""
        self._units: list[list[list[str]]] = []

    def clean(self, lines: Sequence[Line]) -> tuple[Line, ...]:
        for number, line in enumerate(lines):
            self._units.append([])
            for place, unit in enumerate(line.units):
                self._add(number, unit, f"line {line.id}, units.{place}")
        return tuple(
            replace(line, units=tuple(tuple(unit) for unit in units if unit))
            for line, units in zip(lines, self._units, strict=True)
        )

    def _add(self, number: int, unit: tuple[str, ...], where: str) -> None:
        here = number, len(self._units[number])
        self._units[number].append([])
        kept: list[str] = []
        for place, identifier in enumerate(unit):
            cleaned = clean_identifier(identifier)
            if cleaned != identifier:
                self._flaws.add(f"{where}.{place}", f"{_shown(identifier)} is read as {_shown(cleaned)}")
            key = same_case(cleaned)
            written = self._written.setdefault(key, identifier)
            if key not in self._places or same_case(written) == same_case(identifier):
                # Written twice in the same way, it is no slip of a spreadsheet: the message will be refused.
                self._places.setdefault(key, here)
                kept.append(cleaned)
                continue
            self._flaws.add(f"{where}.{place}", f"the same as {_shown(written)}, and taken as one with it")
            there = self._places[key]
            if there[0] == number:
                here = there
        line, at = here
        for cleaned in kept:
            self._units[line][at].append(cleaned)
            self._places[same_case(cleaned)] = here


# -- what can only be told ---------------------------------------------------------------------------------------


def is_ours(key: str) -> bool:
    """Return whether a text is a valid command, a badge of the form that we print, or a box label of ours.

    `key` is in the form of `same_case`.
    """
    command = parse_command(key)
    is_command = isinstance(command, Command) and is_good_argument(command)
    return is_command or is_our_badge(key) or is_our_label(key)


def _flaw_of(code: str) -> str | None:
    """Return what is wrong with a code of any list, if anything."""
    if not code.strip(_BLANKS):
        return "nothing but blanks"
    if not code.isprintable():
        return f"{_shown(code)} has characters that no label has"
    if is_ours(same_case(code)):
        return f"{_shown(code)} is also a command, badge or label of ours, and ambiguous"
    return None


def manifest_flaws(manifest: Manifest, flaws: Flaws) -> None:
    """Add what no label can match, as it stands in a manifest after it was put right."""
    if trimmed(manifest.order) != manifest.order:
        flaws.add("order", f"{_shown(manifest.order)} has blanks at its ends, which stay")
    for code in (manifest.order, *manifest.barcodes):
        what = _flaw_of(code)
        if what is not None:
            flaws.add("barcodes", what)
    for line in manifest.lines:
        what = _flaw_of(line.sku)
        if what is not None:
            flaws.add(f"line {line.id}, sku", what)
    _unit_flaws(manifest, flaws)


def _unit_flaws(manifest: Manifest, flaws: Flaws) -> None:
    for key in _suspicious(manifest):
        line = manifest.line_of_unit[key]
        identifier = next((one for one in manifest.unit_by_id[key] if same_case(one) == key), key)
        what = _flaw_of(identifier) or f"{_shown(identifier)} can never be counted: {_why_never(key, manifest)}"
        flaws.add(f"line {line.id}, units", what)


def _why_never(key: str, manifest: Manifest) -> str:
    if key == _NO_IMEI:
        return "unset devices report it"
    return "it is also a barcode of the order" if key in manifest.codes else "it is also a product of the order"


def _suspicious(manifest: Manifest) -> Iterable[str]:
    """Yield the listed identifiers that something is wrong with. Fast: a manifest may list thousands."""
    units, products = manifest.unit_by_id, manifest.sku_by_code
    text = "".join(units)
    is_plain = text.isprintable() and " " not in text
    for key in units:
        is_wrong = (
            key == _NO_IMEI
            or key in products
            or key in manifest.codes
            or (len(key) in _GTIN_LENGTHS and is_digits(key) and gtin14(key) in products)
            or (key[0] == "Z" and is_ours(key))
        )
        if is_wrong or (not is_plain and (not key.isprintable() or not key.strip(_BLANKS))):
            yield key

"""GS1 data: AIM symbology identifiers, element strings and GS1 Digital Link addresses.

Sources: ISO/IEC 15424 (AIM identifiers); GS1 General Specifications, sections 3 and 7.8 (application identifiers,
element strings, predefined lengths) and 7.11 (character set 82); GS1 Digital Link Standard: URI Syntax.
The workflow uses the application identifiers (AI) 00, 01, 21, 30, 400 to 402 and 8002. The others are only measured, so
that a lost separator is noticed.

biip 5.2 was tried behind the same gate and failed 30 of the tests: it accepts full-width digits, a trailing line feed,
two separators in a row, an IMEI swallowed by a serial number, broken percent-encoding and empty values, and it refuses
AIs that are not assigned (04, 19) and Digital Links that end with `/` or begin with AI 8002.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from agent.contract.check_digits import is_digits
from agent.contract.identifiers import gtin14, gtin_ok, imei_ok, sscc_ok
from agent.errors import KioskError

__all__ = ["GS", "Elements", "Gs1Error", "aim_split", "parse"]

GS = "\x1d"
"""What a scanner sends for FNC1, which ends an element of variable length."""

_GS1_SYMBOLOGIES = frozenset(("C1", "d2", "Q3", "e0"))

_AIM = re.compile(r"\]([A-Za-z][0-9A-Za-z])")
_CHARACTER_SET_82 = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+""")

_AI_DIGITS = (
    {f"{two:02}": 2 for two in (0, 1, 2, 3, 4, *range(10, 23), 30, 37, *range(90, 100))}
    | {str(two): 3 for two in (23, 24, 25, 40, 41, 42, 71)}
    | {str(two): 4 for two in (*range(31, 37), 39, 43, 70, 72, 80, 81, 82)}
)
"""How many digits an AI has, by its first two digits."""

_PREDEFINED = (
    {"00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "20": 2, "41": 13}
    | {str(two): 6 for two in range(11, 20)}
    | {str(two): 6 for two in range(31, 37)}
)
"""How many digits the value has, by the first two digits of the AI. No FNC1 need follow such a value."""

_MAXIMUM = {
    "10": 20, "21": 20, "22": 20, "30": 8, "37": 8, "90": 30, "235": 28, "240": 30, "241": 30, "242": 6, "243": 20,
    "250": 30, "251": 30, "253": 30, "254": 20, "255": 25, "400": 30, "401": 30, "402": 17, "403": 30,
    "8001": 14, "8002": 20, "8003": 30, "8004": 30, "8005": 6, "8006": 18, "8010": 30, "8011": 12, "8012": 20,
}  # fmt: skip
_LONGEST = 90
"""How many characters a value of variable length can have, if `_MAXIMUM` does not name its AI."""

_NUMBERS = frozenset(("30", "37"))
"""The AIs of variable length whose value is a number."""

_REFERENCES = ("400", "401", "402")

_LINK_KEYS = frozenset((
    "00", "01", "253", "255", "401", "402", "414", "415", "417",
    "8003", "8004", "8006", "8010", "8013", "8017", "8018",
))  # fmt: skip
"""The AIs that a Digital Link can begin with. AI 8002 is not one by the standard, but is taken if there is no other."""


class Gs1Error(KioskError, ValueError):
    """Malformed GS1 data. The message names the AI, never what was scanned."""


class Elements(Struct, frozen=True, kw_only=True):
    """The elements of one barcode (`scanning.md#application-identifiers`)."""

    gtin: str | None
    """AI 01, 14 digits."""
    serial: str | None
    """AI 21, up to 20 characters."""
    imeis: tuple[str, ...]
    """The different values of AI 8002, in order: up to 20 characters, a check digit not checked."""
    sscc: str | None
    """AI 00, 18 digits."""
    quantity: int | None
    """AI 30, up to 8 digits: how many pieces."""
    references: tuple[str, ...]
    """The values of AI 400, 401 and 402: order, consignment and shipment numbers."""
    others: bool
    """There were elements with other AIs."""


def aim_split(text: str) -> tuple[str | None, str]:
    """Split a scan into its AIM identifier without the bracket (`C0`), None if there is none, and the data after it
    (`scanning.md#aim-identifier`).
    """
    # Here and in `parse`, the first character is looked at first: when a scan comes, the code of `re` is in no cache of
    # the processor, and takes two microseconds.
    found = _AIM.match(text) if text.startswith("]") else None
    return (found[1], text[found.end() :]) if found else (None, text)


def parse(symbology: str | None, text: str) -> Elements | None:
    """Return the elements of a text that claims to be GS1 data, else None (`scanning.md#when-gs1-is-parsed`).

    `symbology` is the AIM identifier that was split off. A text claims to be GS1 data by the identifier, by a leading
    GS, or by being a Digital Link. Raise Gs1Error if it is malformed.
    """
    link = _link(text) if text.startswith(_LINK_BEGINNINGS) else None
    if link is not None:
        if not text.isprintable():
            raise Gs1Error("a Digital Link with a control character in it")
        return _elements(_link_values(link))
    if symbology in _GS1_SYMBOLOGIES or text.startswith(GS):
        return _elements(_element_strings(text))
    return None


def _elements(pairs: Iterable[tuple[str, str]]) -> Elements:
    values: dict[str, str] = {}
    imeis: dict[str, None] = {}
    for ai, value in pairs:
        _check(ai, value)
        if ai == "8002":
            imeis[value] = None
        elif values.setdefault(ai, value) != value:
            raise Gs1Error(f"AI {ai} comes twice, with different values")
    if not values and not imeis:
        raise Gs1Error("no element")
    gtin, serial, sscc = values.pop("01", None), values.pop("21", None), values.pop("00", None)
    quantity = values.pop("30", None)
    references = [values.pop(ai) for ai in _REFERENCES if ai in values]
    return Elements(
        gtin=gtin,
        serial=serial,
        imeis=tuple(imeis),
        sscc=sscc,
        quantity=int(quantity) if quantity is not None else None,
        references=tuple(references),
        others=bool(values),
    )


def _check(ai: str, value: str) -> None:
    if not value:
        raise Gs1Error(f"AI {ai} has no value")
    predefined = _PREDEFINED.get(ai[:2])
    if predefined is not None:
        if len(value) != predefined or not is_digits(value):
            raise Gs1Error(f"AI {ai} takes {predefined} digits")
        if (ai == "01" and not gtin_ok(value)) or (ai == "00" and not sscc_ok(value)):
            raise Gs1Error(f"AI {ai} has a wrong check digit")
        return
    if len(value) > _MAXIMUM.get(ai, _LONGEST):
        raise Gs1Error(f"AI {ai} is too long, or the separator after it is missing")
    if ai in _NUMBERS and not is_digits(value):
        raise Gs1Error(f"AI {ai} takes digits only")
    if not _CHARACTER_SET_82.fullmatch(value):
        raise Gs1Error(f"AI {ai} has a character that GS1 data cannot have")
    if _swallowed(value):
        raise Gs1Error(f"the separator after AI {ai} is missing")


def _swallowed(value: str) -> bool:
    """Return whether a value, though not too long, ends with AI 8002 and an IMEI that should have followed it."""
    return value[-19:-15] == "8002" and imei_ok(value[-15:])


# -- element strings ---------------------------------------------------------------------------------------------


def _element_strings(text: str) -> Iterator[tuple[str, str]]:
    """Yield each AI and its value, not checked. One GS can stand in front, and one after each element."""
    at = 1 if text.startswith(GS) else 0
    while at < len(text):
        ai = text[at : at + _AI_DIGITS.get(text[at : at + 2], 0)]
        if not _is_ai(ai):
            raise Gs1Error("no AI where one must stand")
        at += len(ai)
        predefined = _PREDEFINED.get(ai[:2])
        if predefined is not None:
            end = at + predefined
        elif (end := text.find(GS, at)) < 0:
            end = len(text)
        yield ai, text[at:end]
        at = end + 1 if text.startswith(GS, end) else end


def _is_ai(ai: str) -> bool:
    return is_digits(ai) and len(ai) == _AI_DIGITS.get(ai[:2])


# -- Digital Link ------------------------------------------------------------------------------------------------

_LINK_BEGINNINGS = ("h", "H")
_URL = re.compile(r"https?://[^/?#]+(/[^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL | re.ASCII)


def _link(text: str) -> list[tuple[str, str]] | None:
    """Return each AI of a Digital Link with its value, still percent-encoded; None if the text is not a Digital Link.

    The path can begin with anything. Its last segments must be pairs of AI and value, the first AI one of `_LINK_KEYS`.
    """
    url = _URL.fullmatch(text)
    if url is None:
        return None
    segments = url[1].rstrip("/").split("/")
    pairs: list[tuple[str, str]] = []
    begin = None
    for at in range(len(segments) - 2, 0, -2):
        ai = segments[at]
        if not _is_ai(ai):
            break
        pairs.append((ai, segments[at + 1]))
        if ai in _LINK_KEYS or ai == "8002":
            begin = len(pairs)
        if ai in _LINK_KEYS:
            break
    if begin is None:
        return None
    found = pairs[:begin][::-1]
    for parameter in re.split("[&;]", url[2] or ""):
        name, _, value = parameter.partition("=")
        if is_digits(name):
            found.append((name, value))
    return found


def _link_values(link: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for ai, encoded in link:
        if not _is_ai(ai):
            raise Gs1Error("a numeric parameter that is no AI")
        value = _percent_decoded(ai, encoded)
        # Older links have the GTIN with as many digits as printed; the standard now asks for 14.
        yield ai, gtin14(value) if ai == "01" and gtin_ok(value) else value


def _percent_decoded(ai: str, text: str) -> str:
    plain, *escaped = text.split("%")
    parts = [plain]
    for part in escaped:
        if not re.match("[0-9A-Fa-f]{2}", part):
            raise Gs1Error(f"AI {ai} has a broken percent-encoding")
        parts += chr(int(part[:2], 16)), part[2:]
    return "".join(parts)

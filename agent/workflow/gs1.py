"""GS1 data: AIM symbology identifiers, element strings, and GS1 Digital Link addresses.

Sources: ISO/IEC 15424 (AIM identifiers); GS1 General Specifications, sections 3 and 7.8 (application identifiers,
element strings, the predefined-length table) and 7.11 (character set 82); GS1 Digital Link Standard: URI Syntax.
Of all application identifiers (AI) the workflow wants four: 01, 21, 8002 and 00; the others are only measured, so that
a separator lost on the way is seen.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from agent.contract.check_digits import is_digits
from agent.contract.identifiers import gtin14, gtin_ok, imei_ok, sscc_ok
from agent.errors import KioskError

__all__ = ["GS", "Elements", "Gs1Error", "aim_split", "is_gs1", "parse"]

GS = "\x1d"
"""What a scanner sends for FNC1, the end of an element of variable length."""

_GS1_SYMBOLOGIES = frozenset(("C1", "d2", "Q3", "e0"))
_BEGINNINGS = (GS, "h", "H")
"""Of other symbologies, what begins otherwise is no GS1 data; an address may still turn out to be none."""

_AIM = re.compile(r"\]([A-Za-z][0-9A-Za-z])")
_CHARACTER_SET_82 = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+""")

_AI_DIGITS = (
    {f"{two:02}": 2 for two in (0, 1, 2, 3, 4, *range(10, 23), 30, 37, *range(90, 100))}
    | {str(two): 3 for two in (23, 24, 25, 40, 41, 42, 71)}
    | {str(two): 4 for two in (*range(31, 37), 39, 43, 70, 72, 80, 81, 82)}
)
"""How many digits an AI has, by its first two."""

_PREDEFINED = (
    {"00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "20": 2, "41": 13}
    | {str(two): 6 for two in range(11, 20)}
    | {str(two): 6 for two in range(31, 37)}
)
"""How many digits the value has, by the AI's first two, where no FNC1 need follow."""

_MAXIMUM = {
    "10": 20, "21": 20, "22": 20, "30": 8, "37": 8, "90": 30, "235": 28, "240": 30, "241": 30, "242": 6, "243": 20,
    "250": 30, "251": 30, "253": 30, "254": 20, "255": 25, "400": 30, "401": 30, "402": 17, "403": 30,
    "8001": 14, "8002": 20, "8003": 30, "8004": 30, "8005": 6, "8006": 18, "8010": 30, "8011": 12, "8012": 20,
}  # fmt: skip
_LONGEST = 90
"""How many characters a value of variable length may have; of an AI not named above, `_LONGEST`."""

_LINK_KEYS = frozenset((
    "00", "01", "253", "255", "401", "402", "414", "415", "417",
    "8003", "8004", "8006", "8010", "8013", "8017", "8018",
))  # fmt: skip
"""The AIs that a Digital Link may begin with. AI 8002 is none by the standard, but is taken where no other is there."""


class Gs1Error(KioskError, ValueError):
    """GS1 data that does not hold together; the text names the AI, never what was scanned."""


class Elements(Struct, frozen=True, kw_only=True):
    """What one barcode says: `gtin` (AI 01) of 14 digits, `serial` (AI 21), `sscc` (AI 00) of 18 digits.

    `imeis` are the values of every AI 8002 in order, each once: an IMEI or serial number of up to 20 characters, its
    check digit (of which GS1 knows nothing) not looked at. `others` is true when there were further elements.
    """

    gtin: str | None
    serial: str | None
    imeis: tuple[str, ...]
    sscc: str | None
    others: bool


def aim_split(text: str) -> tuple[str | None, str]:
    """A scan's AIM symbology identifier without its `]` (as `C0`), none if it has none, and the data after it."""
    found = _AIM.match(text)
    return (found[1], text[found.end() :]) if found else (None, text)


def is_gs1(symbology: str | None, text: str) -> bool:
    """Whether a text without its AIM identifier claims to be GS1 data: by symbology, leading GS, or as Digital Link."""
    return symbology in _GS1_SYMBOLOGIES or text.startswith(GS) or _link(text) is not None


def parse(symbology: str | None, text: str) -> Elements | None:
    """The elements of a text without its AIM identifier; none where `is_gs1` is false. Gs1Error if malformed."""
    if symbology not in _GS1_SYMBOLOGIES and not text.startswith(_BEGINNINGS):
        return None
    link = _link(text)
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
    return Elements(gtin=gtin, serial=serial, imeis=tuple(imeis), sscc=sscc, others=bool(values))


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
    if not _CHARACTER_SET_82.fullmatch(value):
        raise Gs1Error(f"AI {ai} has a character that GS1 data cannot have")
    if _swallowed(value):
        raise Gs1Error(f"the separator after AI {ai} is missing")


def _swallowed(value: str) -> bool:
    """Whether a value is short enough to pass, and yet has the IMEI in it that should have followed it."""
    return value[-19:-15] == "8002" and imei_ok(value[-15:])


# -- element strings ---------------------------------------------------------------------------------------------


def _element_strings(text: str) -> Iterator[tuple[str, str]]:
    """Each AI and its value, cut but not checked. One GS may stand in front, and behind any element."""
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

_URL = re.compile(r"https?://[^/?#]+(/[^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL | re.ASCII)


def _link(text: str) -> list[tuple[str, str]] | None:
    """Each AI of a Digital Link with its value still percent-encoded; none if the text is no Digital Link.

    The path may begin with anything. Its last segments, two by two, must be AI and value, a key of `_LINK_KEYS` first.
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
        # Links made before the standard asked for 14 digits have the GTIN as it is printed.
        yield ai, gtin14(value) if ai == "01" and gtin_ok(value) else value


def _percent_decoded(ai: str, text: str) -> str:
    plain, *escaped = text.split("%")
    parts = [plain]
    for part in escaped:
        if not re.match("[0-9A-Fa-f]{2}", part):
            raise Gs1Error(f"AI {ai} has a broken percent-encoding")
        parts += chr(int(part[:2], 16)), part[2:]
    return "".join(parts)

"""Identifiers of devices and trade items, recognised by their form.

All functions are pure and take any text; only ASCII digits count as digits. An exact length decides, so that no parser
is tried after another (`scanning.md#never-a-serial-number`). Where case does not matter, the caller passes upper case.

Sources: 3GPP TS 23.003 (IMEI, IMEISV), 3GPP2 S.R0048 (MEID), ITU-T E.118 (ICCID), GSMA SGP.02 (EID),
GS1 General Specifications (GTIN, SSCC).
"""

import re
from typing import Literal, TypeAlias

from agent.contract.check_digits import gs1_check_digit, gs1_check_ok, is_digits, luhn_ok, ups_check_ok
from agent.contract.reasons import Seen

__all__ = [
    "Scheme",
    "eid_ok",
    "form_of",
    "gtin14",
    "gtin_ok",
    "iccid_ok",
    "imei_form",
    "imei_ok",
    "meid_form",
    "meid_hex",
    "never_serial",
    "scheme_of",
    "sscc_ok",
    "upc_e_gtin",
    "without_check_digit",
]

_GTIN_LENGTHS = frozenset((8, 12, 13, 14))
_IMEI_DIGITS = 15
_NO_IMEI = "0" * _IMEI_DIGITS
_SSCC_DIGITS = 18
_NO_SSCC = "0" * _SSCC_DIGITS
_MEID_HEX = re.compile(r"[A-Fa-f][0-9A-Fa-f]{13}")
_MEID_MAKERS = range(0xA0000000, 0xFFFFFFFF + 1)
_MEID_SERIALS = range(0xFFFFFF + 1)
_TWO_IMEIS = re.compile(r"[0-9]{15}(.)[0-9]{15}", re.DOTALL)


# -- trade items and parcels -------------------------------------------------------------------------------------


def gtin_ok(text: str) -> bool:
    """Return whether the text is a GTIN-8, -12, -13 or -14 with the right check digit."""
    return len(text) in _GTIN_LENGTHS and gs1_check_ok(text)


def gtin14(text: str) -> str:
    """Return a GTIN of 8 to 14 digits as 14 digits, the form in which GTINs are compared."""
    return text.zfill(14)


def sscc_ok(text: str) -> bool:
    """Return whether the text is an SSCC: 18 digits with the right check digit, not all of them zeros."""
    return len(text) == _SSCC_DIGITS and gs1_check_ok(text) and text != _NO_SSCC


def without_check_digit(text: str) -> str | None:
    """Return the GTIN of 14 digits that lacks only its check digit; None if the text is not 7 to 13 digits."""
    if not 7 <= len(text) <= 13 or not is_digits(text):
        return None
    return gtin14(text + gs1_check_digit(text))


def upc_e_gtin(text: str) -> str | None:
    """Return the GTIN of 14 digits that a UPC-E of 8 digits stands for; None if the text is not a valid one.

    GS1 General Specifications, 5.2.2.4.2: the six middle digits stand for ten, and the last of them says where the
    zeros were left out. The check digit is that of the GTIN.
    """
    if len(text) != 8 or not is_digits(text) or text[0] not in "01":
        return None
    system, body, check = text[0], text[1:7], text[7]
    match body[5]:
        case "0" | "1" | "2":
            digits = body[:2] + body[5] + "0000" + body[2:5]
        case "3":
            digits = body[:3] + "00000" + body[3:5]
        case "4":
            digits = body[:4] + "00000" + body[4]
        case _:
            digits = body[:5] + "0000" + body[5]
    gtin = system + digits + check
    return gtin14(gtin) if gs1_check_ok(gtin) else None


# -- devices -----------------------------------------------------------------------------------------------------


def imei_form(text: str) -> bool:
    """Return whether the text is 15 digits, as an IMEI is, whatever its check digit."""
    return len(text) == _IMEI_DIGITS and text.isascii() and text.isdigit()


def imei_ok(text: str) -> bool:
    """Return whether the text is an IMEI with the right check digit, and not all zeros, which unset devices report.

    A wrong check digit and all zeros are different refusals: ask `luhn_ok` to tell them apart.
    """
    return len(text) == _IMEI_DIGITS and luhn_ok(text) and text != _NO_IMEI


def iccid_ok(text: str) -> bool:
    """Return whether the text is the number of a SIM card: 19 or 20 digits, 89 first, a Luhn digit last."""
    return len(text) in (19, 20) and text.startswith("89") and luhn_ok(text)


def eid_ok(text: str) -> bool:
    """Return whether the text is the number of an eUICC: 32 digits, 89 first, 1 modulo 97."""
    return len(text) == 32 and text.startswith("89") and is_digits(text) and int(text) % 97 == 1


def _decimal_meid(text: str) -> bool:
    return len(text) == 18 and is_digits(text) and int(text[:10]) in _MEID_MAKERS and int(text[10:]) in _MEID_SERIALS


def meid_form(text: str) -> bool:
    """Return whether the text is an MEID without check digit: 14 hex digits, A to F first, or 18 decimal digits."""
    return (len(text) == 14 and _MEID_HEX.fullmatch(text) is not None) or _decimal_meid(text)


def meid_hex(text: str) -> str:
    """Return the 14 hexadecimal digits of an MEID that is given as 18 decimal digits; any other text as it is.

    The first 10 decimal digits are the first 8 hexadecimal ones, the other 8 are the other 6.
    """
    return f"{int(text[:10]):08X}{int(text[10:]):06X}" if _decimal_meid(text) else text


Scheme: TypeAlias = Literal["imei", "meid", "serial"]
"""What kind of identifier a unit is published under (`mqtt.md#published-units`)."""


def scheme_of(identifier: str) -> Scheme:
    """Return the `scheme` under which a unit is published: `imei`, `meid` or `serial` (`mqtt.md#published-units`)."""
    if imei_form(identifier):
        return "imei"
    return "meid" if meid_form(identifier) else "serial"


# -- by form -----------------------------------------------------------------------------------------------------


def form_of(text: str) -> Seen | None:
    """Return what a text is by its form alone (`scanning.md#what-was-seen`).

    None for the 15 digits of an IMEI (see `imei_form`) and for any other text.
    """
    length = len(text)
    if not is_digits(text):
        if length == 14:
            return Seen.MEID if _MEID_HEX.fullmatch(text) else None
        if length == 31 and (pair := _TWO_IMEIS.fullmatch(text)) and not pair[1].isalnum():
            return Seen.CONCATENATED
        if length == 18 and text.startswith("1Z") and ups_check_ok(text[2:]):
            return Seen.TRACKING
        if text.endswith("F") and iccid_ok(text[:-1]):
            return Seen.ICCID
        return None
    seen: Seen | None = None
    match length:
        case 8 | 12 | 13:
            seen = Seen.GTIN if gs1_check_ok(text) else None
        case 14:
            seen = Seen.GTIN if gs1_check_ok(text) else Seen.IMEI_WITHOUT_CHECK_DIGIT
        case 16:
            seen = Seen.IMEISV
        case 18:
            seen = Seen.SSCC if sscc_ok(text) else Seen.MEID if _decimal_meid(text) else None
        case 19 | 20:
            seen = Seen.ICCID if iccid_ok(text) else None
        case 30:
            seen = Seen.CONCATENATED
        case 32:
            seen = Seen.EID if eid_ok(text) else None
    return seen


def never_serial(text: str) -> bool:
    """Return whether unlisted text of this form is never a serial number (`scanning.md#never-a-serial-number`).

    True for the form of an IMEI, whatever its check digit, for eighteen zeros, and for all that `form_of` names except
    an MEID.
    """
    return imei_form(text) or text == _NO_SSCC or form_of(text) not in (None, Seen.MEID)

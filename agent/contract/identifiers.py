"""Identifiers of devices and trade items, recognised by their form.

All functions are pure and take any text; only ASCII digits count as digits. An exact length decides, so that no parser
is tried after another (`scanning.md#never-a-serial-number`). Where case does not matter, the caller passes upper case.

Sources: 3GPP TS 23.003 (IMEI, IMEISV), 3GPP2 S.R0048 (MEID), ITU-T E.118 (ICCID), GSMA SGP.02 (EID),
GS1 General Specifications (GTIN, SSCC).
"""

import re
from typing import Literal, TypeAlias

from agent.contract.check_digits import gs1_check_ok, is_digits, luhn_ok
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
    "never_serial",
    "scheme_of",
    "sscc_ok",
]

_GTIN_LENGTHS = frozenset((8, 12, 13, 14))
_IMEI_DIGITS = 15
_NO_IMEI = "0" * _IMEI_DIGITS
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
    """Return whether the text is an SSCC: 18 digits with the right check digit."""
    return len(text) == 18 and gs1_check_ok(text)


# -- devices -----------------------------------------------------------------------------------------------------


def imei_form(text: str) -> bool:
    """Return whether the text is 15 digits, as an IMEI is, whatever its check digit."""
    return len(text) == _IMEI_DIGITS and is_digits(text)


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
            seen = Seen.SSCC if gs1_check_ok(text) else Seen.MEID if _decimal_meid(text) else None
        case 19 | 20:
            seen = Seen.ICCID if iccid_ok(text) else None
        case 30:
            seen = Seen.CONCATENATED
        case 32:
            seen = Seen.EID if eid_ok(text) else None
    return seen


def never_serial(text: str) -> bool:
    """Return whether unlisted text of this form is never a serial number (`scanning.md#never-a-serial-number`).

    True for the form of an IMEI, whatever its check digit, and for all that `form_of` names except an MEID.
    """
    return imei_form(text) or form_of(text) not in (None, Seen.MEID)

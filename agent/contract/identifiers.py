"""What a barcode's text is by its form: identifiers of devices and trade items, and the barcodes that we print.

All functions are pure, take any text and look at ASCII only: full-width and other scripts' digits are no digits here.
Exact length decides; nothing is tried until it fits. Texts are upper-cased by the caller where case does not matter.
Sources: 3GPP TS 23.003 (IMEI, IMEISV), 3GPP2 S.R0048 (MEID), ITU-T E.118 (ICCID), GSMA SGP.02 (EID),
GS1 General Specifications (GTIN, SSCC), ISO/IEC 7064 (MOD 37,36).
"""

import re
from enum import Enum, StrEnum

from msgspec import Struct

from agent.contract.reasons import Seen

__all__ = [
    "OUR_PREFIXES",
    "Command",
    "CommandFlaw",
    "Verb",
    "badge_text",
    "command_text",
    "eid_ok",
    "form_of",
    "gtin14",
    "gtin_ok",
    "iccid_ok",
    "imei_form",
    "imei_ok",
    "is_digits",
    "is_our_badge",
    "is_our_label",
    "label_text",
    "luhn_ok",
    "meid_form",
    "mod37_36",
    "mod37_36_ok",
    "never_serial",
    "parse_command",
    "scheme_of",
    "sscc_ok",
]

_ZERO = ord("0")
_LUHN_DOUBLED = bytes(
    (2 * (byte - _ZERO)) // 10 + (2 * (byte - _ZERO)) % 10 if 48 <= byte <= 57 else 0 for byte in range(256)
)
_GTIN_LENGTHS = frozenset((8, 12, 13, 14))
_IMEI_DIGITS = 15
_NO_IMEI = "0" * _IMEI_DIGITS
_MEID_HEX = re.compile(r"[A-Fa-f][0-9A-Fa-f]{13}")
_MEID_MAKERS = range(0xA0000000, 0xFFFFFFFF + 1)
_MEID_SERIALS = range(0xFFFFFF + 1)
_TWO_IMEIS = re.compile(r"[0-9]{15}(.)[0-9]{15}", re.DOTALL)


# -- digits and check digits -------------------------------------------------------------------------------------


def is_digits(text: str) -> bool:
    """Whether the text is one or more of the ASCII digits, and nothing else."""
    return text.isascii() and text.isdigit()


def luhn_ok(digits: str) -> bool:
    """Whether the text is digits of which the last is the Luhn check digit (ISO/IEC 7812-1). All zeros pass."""
    if not is_digits(digits):
        return False
    data = digits.encode()
    plain = data[-1::-2]
    return (sum(plain) - _ZERO * len(plain) + sum(data[-2::-2].translate(_LUHN_DOUBLED))) % 10 == 0


def _gs1_check_ok(digits: str) -> bool:
    """The check digit of GTIN and SSCC: weights 1, 3, 1, … from the right, the sum a multiple of 10."""
    data = digits.encode("ascii")
    ones, threes = data[-1::-2], data[-2::-2]
    return (sum(ones) - _ZERO * len(ones) + 3 * (sum(threes) - _ZERO * len(threes))) % 10 == 0


def gtin_ok(text: str) -> bool:
    """Whether the text is a GTIN-8, -12, -13 or -14 with its right check digit."""
    return len(text) in _GTIN_LENGTHS and is_digits(text) and _gs1_check_ok(text)


def gtin14(text: str) -> str:
    """The 14 digits in which GTINs are compared; `text` is a GTIN of 8 to 14 digits."""
    return text.zfill(14)


def sscc_ok(text: str) -> bool:
    """Whether the text is an SSCC: 18 digits with the right check digit."""
    return len(text) == 18 and is_digits(text) and _gs1_check_ok(text)


# -- devices -----------------------------------------------------------------------------------------------------


def imei_form(text: str) -> bool:
    """Whether the text is 15 digits: an IMEI, its check digit right or wrong."""
    return len(text) == _IMEI_DIGITS and is_digits(text)


def imei_ok(text: str) -> bool:
    """Whether the text is an IMEI with its right check digit, and not the all zeros that unset devices report.

    Where a wrong check digit and all zeros are different refusals, ask `luhn_ok` for the check digit.
    """
    return len(text) == _IMEI_DIGITS and luhn_ok(text) and text != _NO_IMEI


def iccid_ok(text: str) -> bool:
    """Whether the text is the number of a SIM card: 19 or 20 digits, 89 first, Luhn digit last."""
    return len(text) in (19, 20) and text.startswith("89") and luhn_ok(text)


def eid_ok(text: str) -> bool:
    """Whether the text is the number of an eUICC: 32 digits, 89 first, 1 modulo 97."""
    return len(text) == 32 and text.startswith("89") and is_digits(text) and int(text) % 97 == 1


def _decimal_meid(text: str) -> bool:
    return len(text) == 18 and is_digits(text) and int(text[:10]) in _MEID_MAKERS and int(text[10:]) in _MEID_SERIALS


def meid_form(text: str) -> bool:
    """Whether the text is an MEID, without check digit: 14 hex digits, the first A to F, or their 18 decimal digits."""
    return (len(text) == 14 and _MEID_HEX.fullmatch(text) is not None) or _decimal_meid(text)


def scheme_of(identifier: str) -> str:
    """The `scheme` of a unit's published identifier: `imei`, `meid` or `serial`."""
    if imei_form(identifier):
        return "imei"
    return "meid" if meid_form(identifier) else "serial"


# -- by form -----------------------------------------------------------------------------------------------------


def form_of(text: str) -> Seen | None:
    """What a text is by its form alone; none for an IMEI's 15 digits (see `imei_form`) and for all other text."""
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
            seen = Seen.GTIN if _gs1_check_ok(text) else None
        case 14:
            seen = Seen.GTIN if _gs1_check_ok(text) else Seen.IMEI_WITHOUT_CHECK_DIGIT
        case 16:
            seen = Seen.IMEISV
        case 18:
            seen = Seen.SSCC if _gs1_check_ok(text) else Seen.MEID if _decimal_meid(text) else None
        case 19 | 20:
            seen = Seen.ICCID if iccid_ok(text) else None
        case 30:
            seen = Seen.CONCATENATED
        case 32:
            seen = Seen.EID if eid_ok(text) else None
    return seen


def never_serial(text: str) -> bool:
    """Whether an unlisted text of this form is never taken for a serial number, whatever a line's `serial_length` says.

    True of an IMEI (its check digit right or wrong) and of all that `form_of` names, but an MEID.
    """
    return imei_form(text) or form_of(text) not in (None, Seen.MEID)


# -- ISO 7064 MOD 37,36 ------------------------------------------------------------------------------------------

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_ALPHANUMERIC = re.compile(r"[0-9A-Z]+")


def _is_alphanumeric(text: str) -> bool:
    return _ALPHANUMERIC.fullmatch(text) is not None


def _residue(text: str) -> int:
    """The hybrid system's running product after all characters: twice the sum modulo 36 (0 as 36), modulo 37."""
    product = 36
    for character in text:
        product = ((product + _VALUE[character]) % 36 or 36) * 2 % 37
    return product


def mod37_36(text: str) -> str:
    """The ISO 7064 MOD 37,36 check character of a text of `[0-9A-Z]`. ValueError for any other text, or none."""
    if not _is_alphanumeric(text):
        raise ValueError("a check character is made over digits and capitals only")
    return _ALPHABET[(37 - _residue(text)) % 36]


def mod37_36_ok(text: str) -> bool:
    """Whether the text is two or more of `[0-9A-Z]` of which the last is the check character of those before it."""
    return len(text) >= 2 and _is_alphanumeric(text) and _ALPHABET[(37 - _residue(text[:-1])) % 36] == text[-1]


# -- the barcodes we print ---------------------------------------------------------------------------------------

_COMMAND, _BADGE, _LABEL = OUR_PREFIXES = ("ZK", "ZB", "ZL")
_TOKEN_LENGTHS = range(8, 33)


class Verb(StrEnum):
    """What a command barcode asks for."""

    SAVE = "SAVE"
    PACK = "PACK"
    CONFIRM = "CONFIRM"
    UNDO = "UNDO"
    REMOVE = "REMOVE"
    CANCEL = "CANCEL"
    MODE = "MODE"
    KIND = "KIND"
    ROLE = "ROLE"
    QTY = "QTY"
    BOX = "BOX"
    CLOSE = "CLOSE"
    OUT = "OUT"
    REPEAT = "REPEAT"
    WHERE = "WHERE"


_WITH_ARGUMENT = frozenset((Verb.MODE, Verb.KIND, Verb.ROLE, Verb.QTY, Verb.BOX))
_LONGEST_FIRST = sorted(Verb, key=len, reverse=True)


class Command(Struct, frozen=True):
    """A command as it stands in the barcode. Whether the argument is there and makes sense is the workflow's to say."""

    verb: Verb
    argument: str = ""


class CommandFlaw(Enum):
    """Why a text that begins as a command is none."""

    BAD_CHECK = "bad_check"
    """Its check character is wrong or missing: misread, or no command at all."""
    UNKNOWN_VERB = "unknown_verb"
    """Its check character is right, but no verb begins it, or one that takes no argument carries one."""


def command_text(verb: Verb, argument: str = "") -> str:
    """The text of a command barcode. ValueError if the verb takes no argument, or it is not of `[0-9A-Z]`.

    An argument left out, or one without a meaning, is not refused here.
    """
    if argument and verb not in _WITH_ARGUMENT:
        raise ValueError(f"{verb} takes no argument")
    return _with_check(_COMMAND + verb + argument)


def parse_command(text: str) -> Command | CommandFlaw | None:
    """The command in an upper-case text; none if the text is not `ZK` and more of `[0-9A-Z]` at all."""
    if not text.startswith(_COMMAND) or not _is_alphanumeric(text):
        return None
    if not mod37_36_ok(text):
        return CommandFlaw.BAD_CHECK
    body = text[len(_COMMAND) : -1]
    for verb in _LONGEST_FIRST:
        if body.startswith(verb):
            argument = body[len(verb) :]
            return Command(verb, argument) if not argument or verb in _WITH_ARGUMENT else CommandFlaw.UNKNOWN_VERB
    return CommandFlaw.UNKNOWN_VERB


def badge_text(token: str) -> str:
    """The text of a badge that we print; ValueError unless the token is 8 to 32 of `[0-9A-Z]`."""
    if len(token) not in _TOKEN_LENGTHS:
        raise ValueError("a badge's token has 8 to 32 characters")
    return _with_check(_BADGE + token)


def is_our_badge(text: str) -> bool:
    """Whether an upper-case text has the form and the check character of a badge that we print."""
    return text.startswith(_BADGE) and len(text) - 3 in _TOKEN_LENGTHS and mod37_36_ok(text)


def label_text(id: str) -> str:
    """The text of a box label that we print; ValueError unless the id is one or more of `[0-9A-Z]`."""
    if not id:
        raise ValueError("a box label's id has at least one character")
    return _with_check(_LABEL + id)


def is_our_label(text: str) -> bool:
    """Whether an upper-case text has the form and the check character of a box label that we print."""
    return text.startswith(_LABEL) and len(text) >= 4 and mod37_36_ok(text)


def _with_check(text: str) -> str:
    return text + mod37_36(text)

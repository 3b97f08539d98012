"""Check digits and check characters. All functions are pure and take any text.

Only ASCII digits count as digits: full-width digits and those of other scripts do not. The arithmetic is
python-stdnum's, except for Luhn. Its modules for whole identifiers are not used, because they are too lenient: they
drop blanks and dashes, `imei` takes 14 and 16 digits, and `mod_97_10` takes letters and full-width digits.
"""

import re

from stdnum import ean
from stdnum.iso7064 import mod_37_36

__all__ = [
    "check_character",
    "check_character_ok",
    "gs1_check_digit",
    "gs1_check_ok",
    "is_alphanumeric",
    "is_digits",
    "luhn_ok",
    "ups_check_ok",
]

_ZERO = ord("0")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
"""Digits to the digit sum of their doubles, for Luhn."""

_ALPHANUMERIC = re.compile(r"[0-9A-Z]+")


def is_digits(text: str) -> bool:
    """Return whether the text is one or more ASCII digits and nothing else."""
    return text.isascii() and text.isdigit()


def is_alphanumeric(text: str) -> bool:
    """Return whether the text is one or more of `[0-9A-Z]` and nothing else."""
    return _ALPHANUMERIC.fullmatch(text) is not None


def luhn_ok(text: str) -> bool:
    """Return whether the text is digits that end in the Luhn check digit of the others (ISO/IEC 7812-1).

    All zeros pass.
    """
    if not is_digits(text):
        return False
    # By table, because every scan of a phone comes here: 5,000 instructions, where python-stdnum takes 39,000 of the
    # 340,000 of a whole decision.
    digits = text.encode()
    plain, doubled = digits[-1::-2], digits[-2::-2].translate(_DOUBLED)
    return (sum(plain) + sum(doubled) - len(digits) * _ZERO) % 10 == 0


def gs1_check_ok(text: str) -> bool:
    """Return whether the text is digits that end in the GS1 check digit of the others, as in GTIN and SSCC."""
    return is_digits(text) and ean.calc_check_digit(text[:-1]) == text[-1]


def gs1_check_digit(text: str) -> str:
    """Return the GS1 check digit for a text of ASCII digits."""
    return str(ean.calc_check_digit(text))


def ups_check_ok(text: str) -> bool:
    """Return whether the text is `[0-9A-Z]` that ends in the check digit of a UPS tracking number.

    `text` is what follows `1Z`. A letter counts as a digit: A as 2, B as 3, and so on, modulo 10. Every second
    character counts double.
    """
    if not is_alphanumeric(text):
        return False
    values = [int(one) if one.isdigit() else (ord(one) - 63) % 10 for one in text]
    return -(sum(values[:-1:2]) + 2 * sum(values[1:-1:2])) % 10 == values[-1] and text[-1].isdigit()


def check_character(text: str) -> str:
    """Return the ISO/IEC 7064 MOD 37,36 check character of a text.

    Raise ValueError unless the text is one or more of `[0-9A-Z]`.
    """
    if not is_alphanumeric(text):
        raise ValueError("a check character is made over digits and capitals only")
    return mod_37_36.calc_check_digit(text)


def check_character_ok(text: str) -> bool:
    """Return whether the text is two or more of `[0-9A-Z]` and ends in the check character of the others."""
    return len(text) >= 2 and mod_37_36.is_valid(text)

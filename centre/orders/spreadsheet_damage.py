"""What spreadsheets do to codes: recognised so that it can be named, never guessed back. Pure."""

import re

from agent.contract.check_digits import is_digits
from agent.contract.identifiers import imei_ok

__all__ = ["code_damage", "unit_damage"]

_SCIENTIFIC = re.compile(r"[+-]?\d([.,]\d+)?[Ee]\+\d{1,3}", re.ASCII)
_DECIMAL = re.compile(r"\d{4,}[.,]0+", re.ASCII)
_FORMULA = re.compile(r'=\s*"|=[A-Z]+\(|=\d', re.ASCII)
_ERROR = re.compile(r"#(N/A|NV|REF!|BEZUG!|VALUE!|WERT!|NAME\?|DIV/0!|NUM!|ZAHL!|NULL!|#+)", re.ASCII | re.IGNORECASE)
_MONTHS = "jan|feb|mar|mrz|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"
_DATE = re.compile(
    rf"\d{{1,2}}[-. ]{{1,2}}({_MONTHS})\.?([- ]?\d{{2}}(\d{{2}})?)?|({_MONTHS})\.?[- ]\d{{2}}(\d{{2}})?"
    r"|\d{1,2}([./])\d{1,2}\6\d{4}( \d{1,2}:\d{2}(:\d{2})?)?|\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2})?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"\d{1,3}([.,\u00a0\u202f ])\d{3}(\1\d{3}){2,}", re.ASCII)


def code_damage(text: str) -> str | None:
    """Return what a code should have been, if a spreadsheet has destroyed it; None for all other texts."""
    if _SCIENTIFIC.fullmatch(text):
        return "all digits: a spreadsheet has shortened the number; format the column as text"
    if _DECIMAL.fullmatch(text):
        return "digits without decimals: a spreadsheet took the code for a number"
    if _GROUPED.fullmatch(text):
        return "digits without grouping: a spreadsheet took the code for a number"
    if _FORMULA.match(text):
        return "the text itself, not a formula"
    if _ERROR.fullmatch(text):
        return "a value, not a spreadsheet's error"
    if _DATE.fullmatch(text):
        return "the code as it was: a spreadsheet took it for a date"
    if text.startswith("'"):
        return "the text without the apostrophe that marks it as text in a spreadsheet"
    return None


def unit_damage(text: str) -> str | None:
    """Return what an identifier of a device should have been, if a spreadsheet has destroyed it."""
    if is_digits(text):
        if len(text) == 14 and text[0] == "1" and imei_ok("0" + text):
            return "15 digits: a spreadsheet has dropped the leading zero"
        if len(text) > 15 and not text[15:].strip("0"):
            return "all digits: a spreadsheet has replaced those after the fifteenth by zeros"
    return code_damage(text)

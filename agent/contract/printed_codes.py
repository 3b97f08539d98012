"""The barcodes that we print: commands, badges and box labels (`scanning.md#command-barcodes`).

All functions are pure and take any text. Functions that read a barcode expect upper case.
Check characters are those of ISO/IEC 7064 MOD 37,36.
"""

from enum import Enum, StrEnum

from msgspec import Struct

from agent.contract.check_digits import check_character, check_character_ok, is_alphanumeric

__all__ = [
    "OUR_PREFIXES",
    "Command",
    "CommandFlaw",
    "Verb",
    "badge_text",
    "command_text",
    "has_wrong_check",
    "is_our_badge",
    "is_our_label",
    "label_text",
    "parse_command",
]

_COMMAND, _BADGE, _LABEL = OUR_PREFIXES = ("ZK", "ZB", "ZL")
_TOKEN_LENGTHS = range(8, 33)
_MAX_LABEL = 64


# -- commands ----------------------------------------------------------------------------------------------------


class Verb(StrEnum):
    """What a command barcode asks for (`scanning.md#command-verbs`)."""

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
    """A command as the barcode has it. Whether its argument is missing or senseless is the workflow's decision."""

    verb: Verb
    argument: str = ""


class CommandFlaw(Enum):
    """Why a text that begins like a command is not one."""

    BAD_CHECK = "bad_check"
    """The check character is wrong or missing: the barcode was misread, or it is not a command at all."""
    UNKNOWN_VERB = "unknown_verb"
    """The check character is right, but no verb begins the text, or the verb takes no argument and has one."""


def command_text(verb: Verb, argument: str = "") -> str:
    """Return the text of a command barcode.

    Raise ValueError if the verb takes no argument, or if the argument is not of `[0-9A-Z]`. A missing or senseless
    argument is accepted.
    """
    if argument and verb not in _WITH_ARGUMENT:
        raise ValueError(f"{verb} takes no argument")
    return _with_check(_COMMAND + verb + argument)


def parse_command(text: str) -> Command | CommandFlaw | None:
    """Return the command in a text, or why it is not one; None if the text is not `ZK` followed by `[0-9A-Z]`."""
    if not text.startswith(_COMMAND) or not is_alphanumeric(text):
        return None
    if not check_character_ok(text):
        return CommandFlaw.BAD_CHECK
    body = text[len(_COMMAND) : -1]
    for verb in _LONGEST_FIRST:
        if body.startswith(verb):
            argument = body[len(verb) :]
            return Command(verb, argument) if not argument or verb in _WITH_ARGUMENT else CommandFlaw.UNKNOWN_VERB
    return CommandFlaw.UNKNOWN_VERB


# -- badges and box labels ---------------------------------------------------------------------------------------


def badge_text(token: str) -> str:
    """Return the text of a badge that we print. Raise ValueError unless the token is 8 to 32 of `[0-9A-Z]`."""
    if len(token) not in _TOKEN_LENGTHS:
        raise ValueError("a badge's token has 8 to 32 characters")
    return _with_check(_BADGE + token)


def is_our_badge(text: str) -> bool:
    """Return whether a text has the form and the check character of a badge that we print (`scanning.md#badges`)."""
    return text.startswith(_BADGE) and len(text) - 3 in _TOKEN_LENGTHS and check_character_ok(text)


def label_text(id: str) -> str:
    """Return the text of a box label that we print. Raise ValueError unless the id is 1 to 61 of `[0-9A-Z]`."""
    if not 1 <= len(id) <= _MAX_LABEL - 3:
        raise ValueError("a box label's id has 1 to 61 characters")
    return _with_check(_LABEL + id)


def is_our_label(text: str) -> bool:
    """Return whether a text has the form and the check character of a box label that we print
    (`scanning.md#box-labels`).
    """
    return text.startswith(_LABEL) and 4 <= len(text) <= _MAX_LABEL and check_character_ok(text)


def has_wrong_check(text: str) -> bool:
    """Return whether a text begins like one of our barcodes and does not end in the right check character
    (`scanning.md#listed-texts-that-look-like-ours`).
    """
    return text.startswith(OUR_PREFIXES) and not (len(text) > 2 and check_character_ok(text))


def _with_check(text: str) -> str:
    return text + check_character(text)

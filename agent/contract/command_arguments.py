"""The arguments of command barcodes and what they stand for (`scanning.md#command-verbs`)."""

import re
from collections.abc import Mapping

from agent.contract.events import Kind
from agent.contract.manifest import Flow, Role
from agent.contract.printed_codes import Command, Verb

__all__ = ["ALL_ROLES", "KINDS", "MODES", "ROLES", "is_good_argument"]

MODES: Mapping[str, Flow] = {"USED": Flow.USED, "DIST": Flow.DISTRIBUTION, "POS": Flow.POS}
KINDS: Mapping[str, Kind] = {"SERIAL": Kind.SERIAL, "SKU": Kind.SKU, "AUTO": Kind.AUTO}
ROLES: Mapping[str, Role] = {"PICK": Role.PICKING, "PACK": Role.PACKING, "SHIP": Role.SHIPPING}
ALL_ROLES = "ALL"

_QUANTITY = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_SIZE_CODE = re.compile(r"[A-Z0-9]{1,32}", re.ASCII)


def is_good_argument(command: Command) -> bool:
    """Return whether the verb can have this argument; if not, the scan is `bad_argument`."""
    match command.verb:
        case Verb.MODE:
            return command.argument in MODES
        case Verb.KIND:
            return command.argument in KINDS
        case Verb.ROLE:
            return command.argument == ALL_ROLES or command.argument in ROLES
        case Verb.QTY:
            return _QUANTITY.fullmatch(command.argument) is not None
        case Verb.BOX:
            return _SIZE_CODE.fullmatch(command.argument) is not None
        case _:
            return not command.argument

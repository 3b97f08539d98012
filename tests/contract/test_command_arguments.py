"""Arguments of commands (`scanning.md#command-verbs`)."""

import pytest

from agent.contract.command_arguments import is_good_argument
from agent.contract.printed_codes import Command, Verb

GOOD = {
    Verb.MODE: ("USED", "DIST", "POS"),
    Verb.KIND: ("SERIAL", "SKU", "AUTO"),
    Verb.ROLE: ("PICK", "PACK", "SHIP", "ALL"),
    Verb.QTY: ("1", "9", "10", "9999"),
    Verb.BOX: ("M", "0", "L" * 32),
}


ANY = ("", "0", "01", "10000", "1A", "１", "USE", "ALLES", "M" * 33, *(one for good in GOOD.values() for one in good))


@pytest.mark.parametrize("verb", Verb)
def test_argument_is_good_for_its_verb_alone(verb: Verb) -> None:
    """`scanning.md#command-verbs`"""
    for argument in ANY:
        is_size = verb is Verb.BOX and argument.isascii() and 0 < len(argument) <= 32
        is_listed = argument in GOOD.get(verb, ("",))
        assert is_good_argument(Command(verb, argument)) is (is_listed or is_size)

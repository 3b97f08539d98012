"""What is on the sheet (`commands.md#sheet`, `scanning.md#command-verbs`)."""

import pytest

from agent.contract.messages import boxes_of, operators_of
from agent.contract.printed_codes import Command, Verb, is_our_badge, parse_command
from agent.drivers.scanners.learning import TEST_TEXT
from agent.sheet.contents import listed_badges, sections_of
from agent.sheet.layout import Card
from tests.contract.samples import payload

SIZES = boxes_of(
    payload({"revision": 1, "items": [{"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}]}), topic="t"
)


def cards(**given: object) -> list[Card]:
    arguments = {"sizes": None, "badges": (), "tokens": (), **given}
    return [card for section in sections_of(**arguments) for card in section.cards]  # type: ignore[arg-type]


def test_every_command_is_there_and_is_one() -> None:
    found = [command for card in cards(sizes=SIZES) if isinstance(command := parse_command(card.code), Command)]
    arguments: dict[Verb, set[str]] = {}
    for command in found:
        arguments.setdefault(command.verb, set()).add(command.argument)
    assert set(arguments) == set(Verb)
    assert arguments[Verb.MODE] == {"USED", "DIST", "POS"}
    assert arguments[Verb.KIND] == {"SERIAL", "SKU", "AUTO"}
    assert arguments[Verb.ROLE] == {"PICK", "PACK", "SHIP", "ALL"}
    assert arguments[Verb.BOX] == {"M"}
    assert TEST_TEXT in [card.code for card in cards()]


def test_badge_that_no_barcode_can_hold_is_left_out() -> None:
    *_, badges = sections_of(None, [("Zoë", "ZBTOKENOFE70"), ("Zoë", "Kärtchen")], [])
    assert [(card.code, card.title) for card in badges.cards] == [("ZBTOKENOFE70", "Zoë")]
    assert badges.own_pages, "they are cut up and handed out"


def test_new_badges_are_badges_of_ours() -> None:
    *_, badges = sections_of(None, [], ["TOKEN0001", "TOKEN0002"])
    assert all(is_our_badge(card.code) for card in badges.cards)
    assert len({card.code for card in badges.cards}) == 2
    with pytest.raises(ValueError, match="8 to 32"):
        sections_of(None, [], ["SHORT"])


def test_badges_of_a_list_are_those_with_a_code() -> None:
    items = [{"operator": "E7", "name": "Zoë", "badges": ["A1"]}, {"operator": "E8", "badges": ["a" * 64]}]
    plain = operators_of(payload({"revision": 1, "items": items}), topic="t")
    assert list(listed_badges(plain)) == [("Zoë", "A1"), ("E8", "A" * 64)]
    salted = operators_of(payload({"revision": 1, "salt": "s", "items": items[1:]}), topic="t")
    assert list(listed_badges(salted)) == []

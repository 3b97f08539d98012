"""What is on the sheet: every command, the box sizes, the test barcode, badges. Pure."""

from collections.abc import Iterable, Iterator

from agent.contract.box_sizes import BoxSizes
from agent.contract.operators import Operators
from agent.contract.printed_codes import Verb, badge_text, command_text
from agent.drivers.scanners.learning import TEST_TEXT
from agent.sheet.layout import Card, Section
from agent.sheet.pdf import is_encodable

__all__ = ["listed_badges", "sections_of"]

_PLAIN = {
    Verb.SAVE: "press Save: create the box, then confirm it",
    Verb.UNDO: "take back the newest scan of the open box",
    Verb.REMOVE: "the next unit or product is taken out",
    Verb.CANCEL: "leave the pending step; twice: empty the open box",
    Verb.PACK: "begin packing confirmation",
    Verb.CONFIRM: "confirm the packing",
    Verb.CLOSE: "leave the order; its open box stays",
    Verb.OUT: "sign out",
    Verb.REPEAT: "give the last signal again",
    Verb.WHERE: "where am I: how many are still to scan",
}
_CHOICES = {
    "Roles": (
        Verb.ROLE,
        {"PICK": "the next badge picks", "PACK": "the next badge packs", "SHIP": "the next badge ships",
         "ALL": "the next badge does all three"},
    ),
    "Scan modes": (
        Verb.MODE,
        {"USED": "used phones", "DIST": "distribution: select the product first", "POS": "point of sale"},
    ),
    "Serialized or not": (
        Verb.KIND,
        {"AUTO": "the barcode decides", "SERIAL": "IMEIs and serial numbers only", "SKU": "products by quantity only"},
    ),
}  # fmt: skip
_QUANTITIES = (*range(2, 13), 15, 20, 25, 30, 50, 100)


def listed_badges(operators: Operators) -> Iterator[tuple[str, str]]:
    """Yield (operator, code) of each badge on the list. A salted list has no codes, and yields nothing."""
    if operators.salt is None:
        for code, operator in operators.by_badge.items():
            yield operator.name or operator.id, code


def sections_of(sizes: BoxSizes | None, badges: Iterable[tuple[str, str]], tokens: Iterable[str]) -> list[Section]:
    """Return the sections of the sheet.

    `badges` are those of `listed_badges`; one that Code 128 cannot encode is left out. `tokens` are of new badges,
    which nobody has yet. Raise ValueError unless a token is 8 to 32 of `[0-9A-Z]`.
    """
    commands = [Card(code=command_text(verb), title=verb, note=note) for verb, note in _PLAIN.items()]
    choices = [
        Section(
            heading=heading,
            cards=[
                Card(code=command_text(verb, argument), title=f"{verb} {argument}", note=note)
                for argument, note in arguments.items()
            ],
        )
        for heading, (verb, arguments) in _CHOICES.items()
    ]
    quantities = [
        Card(code=command_text(Verb.QTY, str(number)), title=f"QTY {number}", note=f"{number} of the next product")
        for number in _QUANTITIES
    ]
    boxes = [
        Card(
            code=command_text(Verb.BOX, size.code),
            title=f"BOX {size.code}",
            note=f"{size.length_mm} × {size.width_mm} × {size.height_mm} mm",
        )
        for size in (sizes.by_code.values() if sizes is not None else ())
    ]
    old = [Card(code=code, title=name) for name, code in badges if is_encodable(code)]
    new = [Card(code=badge_text(token), title="New badge", note="add it to the operators list") for token in tokens]
    return [
        Section(heading="Commands", cards=commands),
        *choices,
        Section(heading="Quantities", cards=quantities),
        Section(heading="Box sizes", cards=boxes),
        Section(
            heading="Test barcode",
            cards=[Card(code=TEST_TEXT, title="kiosk-agent scanners --learn", note="finds how a scanner is set")],
        ),
        Section(heading="Badges: hand them out, do not put them up", cards=[*old, *new], own_pages=True),
    ]

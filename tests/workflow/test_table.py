"""The state table (`workflow.md#state-table`), cell by cell, and stations where nobody is signed in."""

from collections.abc import Callable
from typing import get_args, get_type_hints

import pytest

from agent.contract.events import Rejected
from agent.contract.printed_codes import Verb, command_text, label_text
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.reply import Reply
from agent.workflow.scan_classes import Badge, BoxLabel, CommandScan, OrderBarcode, Product, UnitScan
from agent.workflow.state import Phase
from agent.workflow.step import ACTS
from agent.workflow.table import TABLE as ROW_TABLE
from agent.workflow.table import Act, Input
from tests.workflow.bench import (
    AGAIN,
    BADGES,
    BOXED,
    CONFIRMED,
    GTIN,
    LINE_DONE,
    OK,
    PROMPT,
    REMOVED,
    SAVED,
    Bench,
    imei,
    line,
    refused,
)

FIRST, SECOND = imei(1), imei(2)
LABEL = "]C100106141412345678908"


def bench() -> Bench:
    found = Bench()
    found.order(
        "SO-1", line("1", "P13", 2, units=[[FIRST], [SECOND]]), line("2", "CASE", 1, serialized=False, gtins=[GTIN])
    )
    found.order("SO-2", line("1", "P14", 1))
    found.order("SO-3", line("1", "P15", 1), barcodes=["ORDER 3"])
    return found


def ready() -> Bench:
    found = bench()
    found.sign_in()
    return found


def scanning() -> Bench:
    """One unit is in the open box."""
    found = bench()
    found.opened("SO-1")
    assert found.scan(FIRST) == OK
    return found


def assigning() -> Bench:
    found = scanning()
    assert found.do("ROLE", "PICK") == PROMPT
    return found


def boxing() -> Bench:
    found = scanning()
    assert found.do("SAVE") == BOXED
    return found


def packing() -> Bench:
    found = bench()
    found.opened("SO-3")
    found.scan(imei(3))
    found.save()
    assert found.do("PACK") == PROMPT
    return found


SCENES: tuple[Callable[[], Bench], ...] = (ready, assigning, scanning, boxing, packing)

CODES = {
    "own badge": BADGES["E7"],
    "another's badge": BADGES["E8"],
    "open order": "so-1",
    "open order, by a barcode of it": "order 3",
    "another order": "SO-2",
    "product by SKU": "case",
    "product by GTIN": GTIN[1:],
    "unit": SECOND,
    "unit with a wrong check digit": SECOND[:-1] + str((int(SECOND[-1]) + 1) % 10),
    "QTY": command_text(Verb.QTY, "1"),
    "REMOVE": command_text(Verb.REMOVE),
    "UNDO": command_text(Verb.UNDO),
    "KIND": command_text(Verb.KIND, "SERIAL"),
    "MODE": command_text(Verb.MODE, "USED"),
    "SAVE": command_text(Verb.SAVE),
    "BOX": command_text(Verb.BOX, "M"),
    "box label": LABEL,
    "box label of ours": label_text("1"),
    "PACK": command_text(Verb.PACK),
    "CONFIRM": command_text(Verb.CONFIRM),
    "ROLE": command_text(Verb.ROLE, "SHIP"),
    "CANCEL": command_text(Verb.CANCEL),
    "CLOSE": command_text(Verb.CLOSE),
    "OUT": command_text(Verb.OUT),
    "other barcode": "8944110065123456783",
    "text": "HELLO WORLD",
}

Cell = Reason | Reply | tuple[Reply, Phase] | None
"""A reason; a signal that leaves the phase; a signal and the phase after it; None if it cannot happen."""

_no_order, _no_badge, _unsaved, _no = (
    Reason.ORDER_REQUIRED,
    Reason.BADGE_REQUIRED,
    Reason.BOX_NOT_CONFIRMED,
    Reason.NOT_ALLOWED,
)
_open, _scanning, _ready = Reason.BOX_OPEN, Phase.SCANNING, Phase.READY
_asked = (PROMPT, Phase.ASSIGNING)

# fmt: off
TABLE: dict[str, tuple[Cell, Cell, Cell, Cell, Cell]] = {
    # scan           ready              assigning         scanning                boxing               packing
    "own badge":       (AGAIN,          (OK, _scanning),  AGAIN,                  AGAIN,               AGAIN),
    "another's badge": (OK,             (OK, _scanning),  OK,                     OK,                  OK),
    "open order":      (None,           _no_badge,        AGAIN,                  AGAIN,               None),
    "open order, by a barcode of it":
                       (None,           None,             None,                   None,                AGAIN),
    "another order":   ((OK, _scanning), _no_badge,       _open,                  _open,               (OK, _scanning)),
    "product by SKU":  (Reason.ORDER_UNKNOWN, _no_badge,  LINE_DONE,              _unsaved,            None),
    "product by GTIN": (_no_order,      _no_badge,        LINE_DONE,              _unsaved,            _no),
    "unit":            (_no_order,      _no_badge,        LINE_DONE,              _unsaved,            _no),
    "unit with a wrong check digit":
                       (_no_order,      _no_badge,        Reason.BAD_CHECK_DIGIT, _unsaved,            _no),
    "QTY":             (_no_order,      _no_badge,        PROMPT,                 _unsaved,            _no),
    "REMOVE":          (_no_order,      _no_badge,        PROMPT,                 _unsaved,            _no),
    "UNDO":            (_no_order,      _no_badge,        REMOVED,                _unsaved,            _no),
    "KIND":            (_no_order,      _no_badge,        OK,                     _unsaved,            _no),
    "MODE":            (_no_order,      _no_badge,        AGAIN,                  _unsaved,            _no),
    "SAVE":            (_no_order,      _no_badge,        (BOXED, Phase.BOXING),  (SAVED, _scanning),  _no),
    "BOX":             (_no_order,      _no_badge,        _no,                    OK,                  _no),
    "box label":       (_no_order,      _no_badge,        _open,                  OK,                  _no),
    "box label of ours": (_no_order,    _no_badge,        _open,                  OK,                  _no),
    "PACK":            (_no_order,      _no_badge,        _open,                  _open,               AGAIN),
    "CONFIRM":         (_no_order,      _no_badge,        _no,                    _no,             (CONFIRMED, _ready)),
    "ROLE":            (_no_order,      _asked,           _asked,                 _asked,              _asked),
    "CANCEL":          (_no,            (OK, _scanning),  PROMPT,                 (REMOVED, _scanning),(OK, _scanning)),
    "CLOSE":           (_no_order,      _no_badge,        (OK, _ready),           (OK, _ready),        (OK, _ready)),
    "OUT":             (OK,             (OK, _scanning),  OK,                     OK,                  OK),
    "other barcode":   (_no_order,      _no_badge,        Reason.WRONG_BARCODE,   _unsaved,            _no),
    "text":            (Reason.ORDER_UNKNOWN, _no_badge,  Reason.UNKNOWN_CODE,    _unsaved,            _no),
}
# fmt: on


@pytest.mark.parametrize("scene", SCENES, ids=[scene.__name__ for scene in SCENES])
@pytest.mark.parametrize("row", TABLE)
def test_table_cell(row: str, scene: Callable[[], Bench]) -> None:
    """`workflow.md#state-table`"""
    cell = TABLE[row][SCENES.index(scene)]
    if cell is None:
        return
    found = scene()
    before = found.state
    reply = found.scan(CODES[row])
    match cell:
        case Reason():
            assert reply == refused(cell)
            assert found.types() == ["scan.rejected"]
            assert found.last(Rejected).reason is cell
            assert found.state == before
        case Reply():
            assert reply == cell
            assert found.phase() is before.station("1").phase
            assert found.station.order == before.station("1").order
        case (signal, phase):
            assert reply == signal
            assert found.phase() is phase


CLASS_OF_ROW: dict[Input, tuple[type, ...]] = {
    Input.OWN_BADGE: (Badge,),
    Input.OTHER_BADGE: (Badge,),
    Input.OPEN_ORDER: (OrderBarcode,),
    Input.OTHER_ORDER: (OrderBarcode,),
    Input.ITEM: (UnitScan, Product),
    Input.LABEL: (BoxLabel,),
}
"""The classes of the scans of a row; the rows of commands are `CommandScan`s."""


@pytest.mark.parametrize(("row", "phase"), ROW_TABLE, ids=[f"{row.name}-{phase}" for row, phase in ROW_TABLE])
def test_act_takes_the_class_of_its_row(row: Input, phase: Phase) -> None:
    cell = ROW_TABLE[row, phase]
    if isinstance(cell, Act):
        hint = get_type_hints(ACTS[cell])["scan"]
        assert set(CLASS_OF_ROW.get(row, (CommandScan,))) <= set(get_args(hint) or (hint,))


def test_each_act_has_a_function_and_a_cell() -> None:
    assert set(ACTS) == set(Act) == {cell for cell in ROW_TABLE.values() if isinstance(cell, Act)}


def test_table_has_every_command() -> None:
    assert {verb.value for verb in Verb} - {"REPEAT", "WHERE"} <= TABLE.keys() == CODES.keys()


@pytest.mark.parametrize("scene", SCENES, ids=[scene.__name__ for scene in SCENES])
def test_again_in_the_table_is_no_event(scene: Callable[[], Bench]) -> None:
    """`workflow.md#state-table`"""
    for row, cells in TABLE.items():
        if cells[SCENES.index(scene)] == AGAIN:
            found = scene()
            assert found.scan(CODES[row]) == AGAIN
            assert found.new == []


@pytest.mark.parametrize("scene", SCENES, ids=[scene.__name__ for scene in SCENES])
def test_where_and_repeat_work_in_every_state(scene: Callable[[], Bench]) -> None:
    """`workflow.md#signed-out`, `signals.md#where-am-i`"""
    found = scene()
    before = found.state
    last = found.transients["1"].last
    assert found.do("REPEAT") == last
    pending = {"ready": 0, "packing": 0}.get(scene.__name__, 2)
    assert found.do("WHERE") == Reply(signal=Signal.WHERE, pending=pending)
    assert found.do("REPEAT") == Reply(signal=Signal.WHERE, pending=pending)
    assert found.state == before


@pytest.mark.parametrize("scene", SCENES, ids=[scene.__name__ for scene in SCENES])
def test_signed_out_takes_badges_only(scene: Callable[[], Bench]) -> None:
    """`workflow.md#signed-out`"""
    found = scene()
    assert found.do("OUT") == OK
    before = found.state
    for row, code in CODES.items():
        if "badge" not in row:
            assert found.scan(code) == refused(Reason.NOT_SIGNED_IN), row
            assert found.types() == ["scan.rejected"]
    assert found.state == before
    assert found.do("REPEAT") == refused(Reason.NOT_SIGNED_IN)
    assert found.do("WHERE").signal is Signal.WHERE
    assert found.scan(BADGES["E8"]) == OK
    assert found.types() == ["operator.signed_in"]
    assert found.station.operator == "E8"
    assert found.phase() is before.station("1").phase

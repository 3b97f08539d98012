"""What each scan does, by the phase of its station: SPEC 3's table, to be read at a glance.

A cell is what to do (`Act`), or why not (`Reason`). What a cell leaves open, `agent.workflow.step` decides.
The table speaks of stations where somebody is signed in; signed out, a badge signs in and all else is refused.
The rows and acts are IntEnums because those are hashed without running Python code, at every scan.
"""

from collections.abc import Mapping
from enum import IntEnum, auto

from agent.contract.reasons import Reason
from agent.workflow.state import Phase

__all__ = ["REFUSED_ON_CLOSED", "TABLE", "Act", "Input"]


class Input(IntEnum):
    """The rows: what was scanned, as far as the table tells it apart."""

    OWN_BADGE = auto()
    OTHER_BADGE = auto()
    OPEN_ORDER = auto()
    OTHER_ORDER = auto()
    PRODUCT_OR_UNIT = auto()
    QTY = auto()
    REMOVE = auto()
    UNDO = auto()
    KIND = auto()
    MODE = auto()
    SAVE = auto()
    BOX = auto()
    LABEL = auto()
    PACK = auto()
    CONFIRM = auto()
    ROLE = auto()
    CANCEL = auto()
    CLOSE = auto()
    OUT = auto()
    OTHER = auto()


class Act(IntEnum):
    AGAIN = auto()
    TAKEOVER = auto()
    ASSIGN = auto()
    OPEN = auto()
    REPLACE = auto()
    COUNT = auto()
    SET_QUANTITY = auto()
    ASK_REMOVE = auto()
    UNDO = auto()
    CHOOSE_KIND = auto()
    CHOOSE_MODE = auto()
    CREATE_BOX = auto()
    CONFIRM_BOX = auto()
    SIZE_BOX = auto()
    LABEL_BOX = auto()
    REOPEN_BY_LABEL = auto()
    START_PACKING = auto()
    CLOSE_PACKING = auto()
    ASK_ROLE = auto()
    DROP_ROLE = auto()
    CANCEL = auto()
    BACK_TO_BOX = auto()
    LEAVE_PACKING = auto()
    LEAVE = auto()
    SIGN_OUT = auto()
    NO_ORDER = auto()
    UNWANTED = auto()


_order = Reason.ORDER_REQUIRED
_badge = Reason.BADGE_REQUIRED
_box_open = Reason.BOX_OPEN
_unsaved = Reason.BOX_NOT_CONFIRMED
_no = Reason.NOT_ALLOWED

# fmt: off
_PHASES = (Phase.READY, Phase.ASSIGNING, Phase.SCANNING, Phase.BOXING, Phase.PACKING)
_ROWS: dict[Input, tuple[Act | Reason, ...]] = {
    # scan                   ready         assigning     scanning             boxing           packing
    Input.OWN_BADGE:        (Act.AGAIN,    Act.ASSIGN,   Act.AGAIN,           Act.AGAIN,       Act.AGAIN),
    Input.OTHER_BADGE:      (Act.TAKEOVER, Act.ASSIGN,   Act.TAKEOVER,        Act.TAKEOVER,    Act.TAKEOVER),
    Input.OPEN_ORDER:       (Act.OPEN,     _badge,       Act.AGAIN,           Act.AGAIN,       Act.AGAIN),
    Input.OTHER_ORDER:      (Act.OPEN,     _badge,       Act.REPLACE,         _box_open,       Act.REPLACE),
    Input.PRODUCT_OR_UNIT:  (_order,       _badge,       Act.COUNT,           _unsaved,        _no),
    Input.QTY:              (_order,       _badge,       Act.SET_QUANTITY,    _unsaved,        _no),
    Input.REMOVE:           (_order,       _badge,       Act.ASK_REMOVE,      _unsaved,        _no),
    Input.UNDO:             (_order,       _badge,       Act.UNDO,            _unsaved,        _no),
    Input.KIND:             (_order,       _badge,       Act.CHOOSE_KIND,     _unsaved,        _no),
    Input.MODE:             (_order,       _badge,       Act.CHOOSE_MODE,     _unsaved,        _no),
    Input.SAVE:             (_order,       _badge,       Act.CREATE_BOX,      Act.CONFIRM_BOX, _no),
    Input.BOX:              (_order,       _badge,       _no,                 Act.SIZE_BOX,    _no),
    Input.LABEL:            (_order,       _badge,       Act.REOPEN_BY_LABEL, Act.LABEL_BOX,   _no),
    Input.PACK:             (_order,       _badge,       Act.START_PACKING,   _box_open,       Act.AGAIN),
    Input.CONFIRM:          (_order,       _badge,       _no,                 _no,             Act.CLOSE_PACKING),
    Input.ROLE:             (_order,       Act.ASK_ROLE, Act.ASK_ROLE,        Act.ASK_ROLE,    Act.ASK_ROLE),
    Input.CANCEL:           (_no,          Act.DROP_ROLE,Act.CANCEL,          Act.BACK_TO_BOX, Act.LEAVE_PACKING),
    Input.CLOSE:            (_order,       _badge,       Act.LEAVE,           Act.LEAVE,       Act.LEAVE),
    Input.OUT:              (Act.SIGN_OUT, Act.SIGN_OUT, Act.SIGN_OUT,        Act.SIGN_OUT,    Act.SIGN_OUT),
    Input.OTHER:            (Act.NO_ORDER, _badge,       Act.UNWANTED,        _unsaved,        _no),
}
# fmt: on

TABLE: Mapping[tuple[Input, Phase], Act | Reason] = {
    (row, phase): cell for row, cells in _ROWS.items() for phase, cell in zip(_PHASES, cells, strict=True)
}

REFUSED_ON_CLOSED = frozenset(
    {
        Act.SET_QUANTITY,
        Act.CHOOSE_KIND,
        Act.CHOOSE_MODE,
        Act.CREATE_BOX,
        Act.CONFIRM_BOX,
        Act.SIZE_BOX,
        Act.LABEL_BOX,
        Act.REOPEN_BY_LABEL,
        Act.ASK_ROLE,
    }
)
"""What no longer works on an order that was closed while open (rule 10). Counting and packing check that themselves,
since a held order comes before a closed one."""

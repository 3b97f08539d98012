"""The state table: what each scan does, by the phase of the station (`workflow.md#state-table`).

A cell is an act, or the reason of a refusal. The table is for stations where somebody is signed in; signed out,
`workflow.md#signed-out` holds instead. `agent.workflow.step` runs the acts. `make docs` draws the table and the diagram
of the documentation from this module; the text under a row or an act is its text there.
"""

from collections.abc import Mapping
from enum import StrEnum, auto

from agent.contract.reasons import Reason
from agent.workflow.state import Phase

__all__ = ["LEADS_TO", "REFUSED_ON_CLOSED", "TABLE", "Act", "Input"]


class Input(StrEnum):
    """A row of the table: what was scanned. The row of a command has the name of its verb."""

    OWN_BADGE = auto()
    """Own badge."""
    OTHER_BADGE = auto()
    """Another's badge."""
    OPEN_ORDER = auto()
    """Barcode of the open order."""
    OTHER_ORDER = auto()
    """Barcode of another order."""
    ITEM = auto()
    """Product or unit."""
    QTY = auto()
    REMOVE = auto()
    UNDO = auto()
    KIND = auto()
    MODE = auto()
    SAVE = auto()
    BOX = auto()
    LABEL = auto()
    """Box label."""
    PACK = auto()
    CONFIRM = auto()
    ROLE = auto()
    CANCEL = auto()
    CLOSE = auto()
    OUT = auto()
    OTHER_BARCODE = auto()
    """Other barcode."""
    TEXT = auto()
    """Text."""


class Act(StrEnum):
    """What a scan does. Its function can still refuse the scan; the table does not say for which reasons."""

    AGAIN = auto()
    """Signal `again`."""
    TAKEOVER = auto()
    """Take the station over."""
    ASSIGN = auto()
    """Assign the role, go back."""
    OPEN = auto()
    """Open the order."""
    OPEN_ANOTHER = auto()
    """Open the order, or `box_open`."""
    COUNT = auto()
    """Count, or take out if REMOVE is pending."""
    SET_QUANTITY = auto()
    """Set the quantity of the next product."""
    ASK_REMOVE = auto()
    """Take out the unit or product scanned next."""
    UNDO = auto()
    """Void the newest entry, or reopen a box."""
    CHOOSE_KIND = auto()
    """Choose the kind."""
    CHOOSE_MODE = auto()
    """Choose the mode."""
    CREATE_BOX = auto()
    """Create the box."""
    CONFIRM_BOX = auto()
    """Confirm the box."""
    SIZE_BOX = auto()
    """Choose the size, or replace it."""
    LABEL_BOX = auto()
    """Label the box, or replace the label."""
    REOPEN_BY_LABEL = auto()
    """Reopen the box with that label."""
    START_PACKING = auto()
    """Start packing."""
    CONFIRM_PACKING = auto()
    """Confirm packing."""
    ASK_ROLE = auto()
    """Await the badge for that role."""
    DROP_ROLE = auto()
    """Drop the role, go back."""
    CANCEL = auto()
    """Drop what is pending; else void the open box."""
    LEAVE_BOXING = auto()
    """Go back to `scanning`."""
    LEAVE_PACKING = auto()
    """Go back to `scanning`."""
    LEAVE_ORDER = auto()
    """Leave the order."""
    SIGN_OUT = auto()
    """Sign out."""


_order = Reason.ORDER_REQUIRED
_badge = Reason.BADGE_REQUIRED
_box_open = Reason.BOX_OPEN
_unsaved = Reason.BOX_NOT_CONFIRMED
_no = Reason.NOT_ALLOWED
_wrong = Reason.WRONG_BARCODE
_unknown_code = Reason.UNKNOWN_CODE
_unknown_order = Reason.ORDER_UNKNOWN

# fmt: off
_PHASES = (Phase.READY, Phase.ASSIGNING, Phase.SCANNING, Phase.BOXING, Phase.PACKING)
_ROWS: dict[Input, tuple[Act | Reason, ...]] = {
    # scan                ready           assigning      scanning             boxing            packing
    Input.OWN_BADGE:     (Act.AGAIN,      Act.ASSIGN,    Act.AGAIN,           Act.AGAIN,        Act.AGAIN),
    Input.OTHER_BADGE:   (Act.TAKEOVER,   Act.ASSIGN,    Act.TAKEOVER,        Act.TAKEOVER,     Act.TAKEOVER),
    Input.OPEN_ORDER:    (Act.OPEN,       _badge,        Act.AGAIN,           Act.AGAIN,        Act.AGAIN),
    Input.OTHER_ORDER:   (Act.OPEN,       _badge,        Act.OPEN_ANOTHER,    _box_open,        Act.OPEN_ANOTHER),
    Input.ITEM:          (_order,         _badge,        Act.COUNT,           _unsaved,         _no),
    Input.QTY:           (_order,         _badge,        Act.SET_QUANTITY,    _unsaved,         _no),
    Input.REMOVE:        (_order,         _badge,        Act.ASK_REMOVE,      _unsaved,         _no),
    Input.UNDO:          (_order,         _badge,        Act.UNDO,            _unsaved,         _no),
    Input.KIND:          (_order,         _badge,        Act.CHOOSE_KIND,     _unsaved,         _no),
    Input.MODE:          (_order,         _badge,        Act.CHOOSE_MODE,     _unsaved,         _no),
    Input.SAVE:          (_order,         _badge,        Act.CREATE_BOX,      Act.CONFIRM_BOX,  _no),
    Input.BOX:           (_order,         _badge,        _no,                 Act.SIZE_BOX,     _no),
    Input.LABEL:         (_order,         _badge,        Act.REOPEN_BY_LABEL, Act.LABEL_BOX,    _no),
    Input.PACK:          (_order,         _badge,        Act.START_PACKING,   _box_open,        Act.AGAIN),
    Input.CONFIRM:       (_order,         _badge,        _no,                 _no,              Act.CONFIRM_PACKING),
    Input.ROLE:          (_order,         Act.ASK_ROLE,  Act.ASK_ROLE,        Act.ASK_ROLE,     Act.ASK_ROLE),
    Input.CANCEL:        (_no,            Act.DROP_ROLE, Act.CANCEL,          Act.LEAVE_BOXING, Act.LEAVE_PACKING),
    Input.CLOSE:         (_order,         _badge,        Act.LEAVE_ORDER,     Act.LEAVE_ORDER,  Act.LEAVE_ORDER),
    Input.OUT:           (Act.SIGN_OUT,   Act.SIGN_OUT,  Act.SIGN_OUT,        Act.SIGN_OUT,     Act.SIGN_OUT),
    Input.OTHER_BARCODE: (_order,         _badge,        _wrong,              _unsaved,         _no),
    Input.TEXT:          (_unknown_order, _badge,        _unknown_code,       _unsaved,         _no),
}
# fmt: on

TABLE: Mapping[tuple[Input, Phase], Act | Reason] = {
    (row, phase): cell for row, cells in _ROWS.items() for phase, cell in zip(_PHASES, cells, strict=True)
}

_RESUMED = frozenset({Phase.SCANNING, Phase.BOXING, Phase.PACKING})
"""The phases that assigning a role can interrupt."""

LEADS_TO: Mapping[tuple[Phase, Act], frozenset[Phase]] = {
    (Phase.READY, Act.OPEN): frozenset({Phase.SCANNING, Phase.BOXING}),
    (Phase.ASSIGNING, Act.ASSIGN): _RESUMED,
    (Phase.ASSIGNING, Act.DROP_ROLE): _RESUMED,
    (Phase.ASSIGNING, Act.SIGN_OUT): _RESUMED,
    (Phase.SCANNING, Act.OPEN_ANOTHER): frozenset({Phase.BOXING}),
    (Phase.SCANNING, Act.UNDO): frozenset({Phase.BOXING}),
    (Phase.SCANNING, Act.CREATE_BOX): frozenset({Phase.BOXING}),
    (Phase.SCANNING, Act.REOPEN_BY_LABEL): frozenset({Phase.BOXING}),
    (Phase.SCANNING, Act.START_PACKING): frozenset({Phase.PACKING}),
    (Phase.SCANNING, Act.ASK_ROLE): frozenset({Phase.ASSIGNING}),
    (Phase.SCANNING, Act.LEAVE_ORDER): frozenset({Phase.READY}),
    (Phase.BOXING, Act.CONFIRM_BOX): frozenset({Phase.SCANNING}),
    (Phase.BOXING, Act.LEAVE_BOXING): frozenset({Phase.SCANNING}),
    (Phase.BOXING, Act.ASK_ROLE): frozenset({Phase.ASSIGNING}),
    (Phase.BOXING, Act.LEAVE_ORDER): frozenset({Phase.READY}),
    (Phase.PACKING, Act.OPEN_ANOTHER): frozenset({Phase.SCANNING, Phase.BOXING}),
    (Phase.PACKING, Act.CONFIRM_PACKING): frozenset({Phase.READY, Phase.SCANNING}),
    (Phase.PACKING, Act.LEAVE_PACKING): frozenset({Phase.SCANNING}),
    (Phase.PACKING, Act.ASK_ROLE): frozenset({Phase.ASSIGNING}),
    (Phase.PACKING, Act.LEAVE_ORDER): frozenset({Phase.READY}),
}
"""The phases to which an act can bring a station, except the phase that it is in. A test holds the code to this."""

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
"""The acts that are `order_closed` on an order that was closed while open (`workflow.md#closed-while-open`).

Counting and packing check this themselves, because they check for a held order first.
"""

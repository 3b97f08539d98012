"""What each scan does, by the phase of its station: the table of `workflow.md#state-table`, to be read at a glance.

A cell is what to do (`Act`), or why not (`Reason`). What a cell leaves open, `agent.workflow.step` decides.
The table speaks of stations where somebody is signed in; signed out, a badge signs in and all else is refused.
The text under each row and act is for the table in the documentation, which `make docs` makes.
The rows and acts are IntEnums because those are hashed without running Python code, at every scan.
"""

from collections.abc import Mapping
from enum import IntEnum, auto

from agent.contract.reasons import Reason
from agent.workflow.state import Phase

__all__ = ["LEADS_TO", "REFUSED_ON_CLOSED", "TABLE", "Act", "Input"]


class Input(IntEnum):
    """The rows: what was scanned, as far as the table tells it apart."""

    OWN_BADGE = auto()
    """Own badge."""
    OTHER_BADGE = auto()
    """Another's badge."""
    OPEN_ORDER = auto()
    """Barcode of the open order."""
    OTHER_ORDER = auto()
    """Barcode of another order."""
    PRODUCT_OR_UNIT = auto()
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
    OTHER = auto()
    """Other barcode, or text."""


class Act(IntEnum):
    """The cells: what to do. A refusal that a cell's act finds is not in the table."""

    AGAIN = auto()
    """Signal `again`."""
    TAKEOVER = auto()
    """Take the station over."""
    ASSIGN = auto()
    """Assign the role, go back."""
    OPEN = auto()
    """Open the order."""
    REPLACE = auto()
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
    CLOSE_PACKING = auto()
    """Confirm packing."""
    ASK_ROLE = auto()
    """Await the badge for that role."""
    DROP_ROLE = auto()
    """Drop the role, go back."""
    CANCEL = auto()
    """Drop what is pending; else void the open box."""
    BACK_TO_BOX = auto()
    """Go back to `scanning`."""
    LEAVE_PACKING = auto()
    """Go back to `scanning`."""
    LEAVE = auto()
    """Leave the order."""
    SIGN_OUT = auto()
    """Sign out."""
    NO_ORDER = auto()
    """`order_unknown` for text, else `order_required`."""
    UNWANTED = auto()
    """`unknown_code` for text, else `wrong_barcode`."""


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

_BACK = frozenset({Phase.SCANNING, Phase.BOXING, Phase.PACKING})
LEADS_TO: Mapping[tuple[Phase, Act], frozenset[Phase]] = {
    (Phase.READY, Act.OPEN): frozenset({Phase.SCANNING, Phase.BOXING}),
    (Phase.ASSIGNING, Act.ASSIGN): _BACK,
    (Phase.ASSIGNING, Act.DROP_ROLE): _BACK,
    (Phase.ASSIGNING, Act.SIGN_OUT): _BACK,
    (Phase.SCANNING, Act.REPLACE): frozenset({Phase.BOXING}),
    (Phase.SCANNING, Act.UNDO): frozenset({Phase.BOXING}),
    (Phase.SCANNING, Act.CREATE_BOX): frozenset({Phase.BOXING}),
    (Phase.SCANNING, Act.REOPEN_BY_LABEL): frozenset({Phase.BOXING}),
    (Phase.SCANNING, Act.START_PACKING): frozenset({Phase.PACKING}),
    (Phase.SCANNING, Act.ASK_ROLE): frozenset({Phase.ASSIGNING}),
    (Phase.SCANNING, Act.LEAVE): frozenset({Phase.READY}),
    (Phase.BOXING, Act.CONFIRM_BOX): frozenset({Phase.SCANNING}),
    (Phase.BOXING, Act.BACK_TO_BOX): frozenset({Phase.SCANNING}),
    (Phase.BOXING, Act.ASK_ROLE): frozenset({Phase.ASSIGNING}),
    (Phase.BOXING, Act.LEAVE): frozenset({Phase.READY}),
    (Phase.PACKING, Act.REPLACE): frozenset({Phase.SCANNING, Phase.BOXING}),
    (Phase.PACKING, Act.CLOSE_PACKING): frozenset({Phase.READY, Phase.SCANNING}),
    (Phase.PACKING, Act.LEAVE_PACKING): frozenset({Phase.SCANNING}),
    (Phase.PACKING, Act.ASK_ROLE): frozenset({Phase.ASSIGNING}),
    (Phase.PACKING, Act.LEAVE): frozenset({Phase.READY}),
}
"""The phases to which a scan can bring its station, other than the one it is in. The documentation draws its diagram
from this, and a test compares it with what the workflow does."""

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

"""What signals, reasons and states are called on the board, and what a supervisor can do about a refusal. Pure.

Words that a newer kiosk may send and that stand in no table here are shown as they came.
"""

from agent.contract.manifest import Role
from agent.contract.reasons import Reason, Seen
from agent.contract.signals import Signal

__all__ = ["plural", "reason_words", "refusal_sentence", "role_words", "seen_words", "signal_icon", "signal_words"]

_SIGNALS = {
    Signal.OK: ("ok", "accepted"),
    Signal.LINE_DONE: ("ok", "line complete"),
    Signal.ORDER_DONE: ("ok", "order complete"),
    Signal.BOXED: ("box", "box created"),
    Signal.SAVED: ("box", "box confirmed"),
    Signal.CONFIRMED: ("ok", "packing confirmed"),
    Signal.PROMPT: ("wait", "waits for the next scan"),
    Signal.AGAIN: ("again", "already counted or chosen"),
    Signal.REMOVED: ("removed", "taken out"),
    Signal.REJECT: ("refused", "refused"),
    Signal.FAULT: ("fault", "not taken"),
    Signal.ALARM: ("alarm", "alarm"),
    Signal.WHERE: ("wait", "asked how many are left"),
}
"""Icon and words of each signal."""

_REASONS = {
    Reason.UNREADABLE: ("unreadable barcode", "Clean the scanner window, or print the label again."),
    Reason.UNKNOWN_CODE: ("unknown barcode", "Show which barcode on the label to scan."),
    Reason.WRONG_BARCODE: ("wrong barcode", "Show which barcode on the label to scan."),
    Reason.AMBIGUOUS: (
        "barcode with two meanings",
        "One of the two codes must change: the page of the kiosk names it.",
    ),
    Reason.BAD_ARGUMENT: ("faulty command", "Print the command sheet again."),
    Reason.BAD_CHECK_DIGIT: ("wrong check digit", "The IMEI was misread or mistyped: scan it from the phone's screen."),
    Reason.NOT_SIGNED_IN: ("nobody signed in", "A badge must be scanned first."),
    Reason.BADGE_UNKNOWN: ("unknown badge", "Add the badge to the operators list."),
    Reason.BADGE_REQUIRED: ("badge wanted", "A role was asked for: scan the badge of whoever takes it."),
    Reason.ORDER_REQUIRED: ("no order open", "The barcode of an order must be scanned first."),
    Reason.ORDER_UNKNOWN: ("unknown order", "Import the order, or scan its barcode from the ticket."),
    Reason.ORDER_CLOSED: ("closed order", "The order is packed or cancelled: put it aside, or reopen it."),
    Reason.ORDER_IN_USE: ("order open at another bench", "Finish it there, or let that bench sign out."),
    Reason.ROLE_NOT_ALLOWED: ("role not allowed", "Another operator must take this role."),
    Reason.OPERATOR_UNASSIGNED: ("role without operator", "Scan ROLE and a badge for each role that is vacant."),
    Reason.MODE_REQUIRED: ("no mode chosen", "Scan MODE for what is packed next."),
    Reason.WRONG_MODE: ("wrong mode", "No line of the order is packed that way: choose another mode."),
    Reason.WRONG_KIND: ("wrong kind", "Scan KIND AUTO to take units and products again."),
    Reason.PRODUCT_REQUIRED: ("no product chosen", "Scan the product's barcode before its phones."),
    Reason.WRONG_PRODUCT: ("wrong product", "The phone is of another product: check what was picked."),
    Reason.NOT_ON_ORDER: ("not on the order", "Check what was picked: it belongs to no line of this order."),
    Reason.ALREADY_COUNTED: ("already counted", "Nothing to do: it is in a box of this order."),
    Reason.COUNTED_ELSEWHERE: ("counted in another order", "Find out which order the phone belongs to: search for it."),
    Reason.HELD: ("held", "Take the held phone out, or decide about it."),
    Reason.OVER_QUANTITY: ("more than ordered", "The line is complete: put the rest back."),
    Reason.BOX_FULL: ("box full", "Scan SAVE twice and start the next box."),
    Reason.BOX_EMPTY: ("box empty", "There is nothing in the box to save or undo."),
    Reason.BOX_OPEN: ("box still open", "Finish or empty the open box first."),
    Reason.BOX_NOT_CONFIRMED: ("box not confirmed", "Scan SAVE again to confirm the box."),
    Reason.SIZE_REQUIRED: ("no box size", "Scan the box size, then SAVE."),
    Reason.SIZE_UNKNOWN: ("unknown box size", "Print the size sheet again: this size is not on the list."),
    Reason.LABEL_USED: ("label used twice", "Take a new label."),
    Reason.NOT_IN_BOX: ("not in a box", "What was scanned is in no box of this order."),
    Reason.QUANTITY_MISMATCH: ("counts differ from the order", "Count what is missing or too much, line by line."),
    Reason.NOT_ASSIGNED: ("not the assigned packer", "The operator assigned to packing must confirm."),
    Reason.NOT_ALLOWED: ("not possible now", "Scan WHERE at the bench, and finish the step that the light shows."),
}
"""What was wrong, and what to do about it."""

_SEEN = {
    Seen.GTIN: "a product barcode",
    Seen.IMEI_WITHOUT_CHECK_DIGIT: "an IMEI without its check digit",
    Seen.IMEISV: "an IMEISV",
    Seen.ICCID: "a SIM card number (ICCID)",
    Seen.EID: "an eSIM number (EID)",
    Seen.SSCC: "a shipping unit number (SSCC)",
    Seen.MEID: "an MEID",
    Seen.CONCATENATED: "two barcodes at once",
    Seen.TRACKING: "a tracking number",
    Seen.BADGE: "a badge in another barcode type",
    Seen.COMMAND: "a command in another barcode type",
}

_ROLES = {Role.PICKING: "Picked by", Role.PACKING: "Packed by", Role.SHIPPING: "Shipped by"}


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 box`, `2,000 boxes`. `many` defaults to `one` and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def signal_icon(signal: str) -> str:
    """Return the name of the icon of a signal."""
    return _SIGNALS[Signal(signal)][0] if signal in _SIGNALS else "wait"


def signal_words(signal: str, reason: str | None) -> str:
    """Return what a signal says, with its reason: `refused: wrong barcode`."""
    words = _SIGNALS[Signal(signal)][1] if signal in _SIGNALS else signal
    return f"{words}: {reason_words(reason)}" if reason else words


def reason_words(reason: str) -> str:
    """Return what a refusal was about, in a few words."""
    return _REASONS[Reason(reason)][0] if reason in _REASONS else reason.replace("_", " ")


def seen_words(seen: str) -> str:
    """Return what a barcode was that was not wanted."""
    return _SEEN[Seen(seen)] if seen in _SEEN else seen.replace("_", " ")


def role_words(role: str) -> str:
    """Return how a person who had this role is introduced: `Packed by`."""
    return _ROLES[Role(role)] if role in _ROLES else role


def refusal_sentence(reason: str, seen: str | None) -> str:
    """Return what is refused again and again, and what to do: `wrong barcode, it is an IMEISV. Show …`."""
    what = reason_words(reason)
    if seen is not None:
        what += f", it is {seen_words(seen)}"
    advice = _REASONS[Reason(reason)][1] if reason in _REASONS else ""
    return f"{what}. {advice}".rstrip()

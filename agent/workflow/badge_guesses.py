"""Guessing badges: many different refused texts in a short time (`scanning.md#guessing-badges`)."""

from immutables import Map

from agent.workflow.badge_privacy import is_badge_awaited, may_be_badge, scanned_key
from agent.workflow.context import StepContext
from agent.workflow.scan_classes import (
    Ambiguous,
    Badge,
    CommandScan,
    OrderBarcode,
    Product,
    ScanClass,
    Unreadable,
)
from agent.workflow.transient_state import TransientState

__all__ = ["GUESSES", "GUESSES_S", "LOCKED_S", "count_guess", "is_locked", "is_locked_out"]

GUESSES = 10
GUESSES_S = 60.0
"""`GUESSES` different refused texts within `GUESSES_S` seconds lock the station."""

LOCKED_S = 60.0
"""How long a locked station accepts no badge but that of the operator who is signed in."""


def is_locked(transient: TransientState, now: float) -> bool:
    """Return whether a station accepts no badge but that of the operator who is signed in."""
    return transient.locked_until is not None and now < transient.locked_until


def is_locked_out(context: StepContext, scan: ScanClass) -> bool:
    """Return whether the scan is a badge that the station does not accept now."""
    if not is_locked(context.transient, context.now):
        return False
    if isinstance(scan, Badge):
        return scan.operator.id != context.station.operator
    return isinstance(scan, Ambiguous) and scan.is_badge


def count_guess(context: StepContext, scan: ScanClass) -> None:
    """Count a refused scan that may be a guess, and lock the station if there are too many; count none while locked."""
    transient, now = context.transient, context.now
    if is_locked(transient, now) or not _may_be_guess(context, scan):
        return
    recent = {text: at for text, at in transient.guesses.items() if now - at <= GUESSES_S}
    recent[scanned_key(context.data)] = now
    if len(recent) < GUESSES:
        transient.guesses = Map(recent)
    else:
        transient.guesses = Map()
        transient.locked_until = now + LOCKED_S


def _may_be_guess(context: StepContext, scan: ScanClass) -> bool:
    """Return whether a refused scan may be a guess: no command, listed code, no-read text or unprintable text."""
    if not scanned_key(context.data).isprintable():
        return False
    if may_be_badge(context, scan):
        return True
    if isinstance(scan, CommandScan | OrderBarcode | Product) or (isinstance(scan, Unreadable) and scan.is_no_read):
        return False
    return is_badge_awaited(context)

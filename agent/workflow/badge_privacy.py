"""Which refused codes may be badges, and what is published of them (`scanning.md#a-badge-never-leaves-the-kiosk`)."""

import hashlib
import hmac

from agent.contract.identifiers import imei_form, meid_form
from agent.contract.manifest import same_case, unit_forms
from agent.contract.reasons import Seen
from agent.workflow.context import StepContext
from agent.workflow.gs1 import aim_split
from agent.workflow.scan_classes import (
    Ambiguous,
    Badge,
    BoxLabel,
    OrderBarcode,
    Product,
    Recognised,
    ScanClass,
    Text,
    UnitScan,
    UnknownBadge,
    Unreadable,
)
from agent.workflow.state import Phase

__all__ = ["badge_mark", "is_badge_awaited", "may_be_badge", "scanned_key"]

_OUR_BADGE = "ZB"
_MARK_DIGITS = 8


def badge_mark(key: str, secret: bytes) -> str:
    """Return what is published in place of a badge's text: the same for the same badge, but only on this kiosk.

    `key` is the badge in the form of `same_case`.
    """
    digest = hmac.new(secret, key.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
    return f"badge:{digest[:_MARK_DIGITS]}"


def scanned_key(data: bytes) -> str:
    """Return a scan, without its AIM identifier, in the form in which codes are compared. Any bytes have one."""
    return same_case(aim_split(data.decode("utf-8", "surrogateescape"))[1])


def is_badge_awaited(context: StepContext) -> bool:
    """Return whether nobody is signed in, or a role waits for its badge."""
    station = context.station
    return station.operator is None or station.phase is Phase.ASSIGNING


def may_be_badge(context: StepContext, scan: ScanClass) -> bool:
    """Return whether a refused scan is a badge, or may be one: old, of another list, or half read."""
    match scan:
        case Badge() | UnknownBadge() | Ambiguous(is_badge=True) | Recognised(seen=Seen.BADGE):
            return True
        case OrderBarcode() | Product() | BoxLabel():
            return False
        case UnitScan(ids=ids) if any(_is_known(context, one) for one in ids):
            return False
        case Unreadable(is_no_read=True):
            return False
    if scanned_key(context.data)[:2].upper() == _OUR_BADGE:
        return True
    is_unrecognised = isinstance(scan, Text | Unreadable) or (
        isinstance(scan, UnitScan) and not any(imei_form(one) or meid_form(one) for one in scan.ids)
    )
    return is_unrecognised and is_badge_awaited(context)


def _is_known(context: StepContext, key: str) -> bool:
    """Return whether the order at the station lists a unit or has counted it."""
    order = context.state.orders.get(context.station.order or "")
    return order is not None and any(
        form in order.manifest.unit_by_id or form in order.counted or form in order.elsewhere_units
        for form in unit_forms(key)
    )

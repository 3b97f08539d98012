"""Why a scan was refused (`Reason`), and what a recognised but unwanted barcode was (`Seen`)."""

from enum import StrEnum
from typing import final

__all__ = ["Reason", "Seen"]


@final
class Reason(StrEnum):
    UNREADABLE = "unreadable"
    UNKNOWN_CODE = "unknown_code"
    WRONG_BARCODE = "wrong_barcode"
    AMBIGUOUS = "ambiguous"
    BAD_ARGUMENT = "bad_argument"
    BAD_CHECK_DIGIT = "bad_check_digit"
    NOT_SIGNED_IN = "not_signed_in"
    BADGE_UNKNOWN = "badge_unknown"
    BADGE_REQUIRED = "badge_required"
    ORDER_REQUIRED = "order_required"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_CLOSED = "order_closed"
    ORDER_IN_USE = "order_in_use"
    ROLE_NOT_ALLOWED = "role_not_allowed"
    OPERATOR_UNASSIGNED = "operator_unassigned"
    MODE_REQUIRED = "mode_required"
    WRONG_MODE = "wrong_mode"
    WRONG_KIND = "wrong_kind"
    PRODUCT_REQUIRED = "product_required"
    WRONG_PRODUCT = "wrong_product"
    NOT_ON_ORDER = "not_on_order"
    ALREADY_COUNTED = "already_counted"
    COUNTED_ELSEWHERE = "counted_elsewhere"
    HELD = "held"
    OVER_QUANTITY = "over_quantity"
    BOX_FULL = "box_full"
    BOX_EMPTY = "box_empty"
    BOX_OPEN = "box_open"
    BOX_NOT_CONFIRMED = "box_not_confirmed"
    SIZE_REQUIRED = "size_required"
    SIZE_UNKNOWN = "size_unknown"
    LABEL_USED = "label_used"
    NOT_IN_BOX = "not_in_box"
    QUANTITY_MISMATCH = "quantity_mismatch"
    NOT_ASSIGNED = "not_assigned"
    NOT_ALLOWED = "not_allowed"


class Seen(StrEnum):
    GTIN = "gtin"
    ICCID = "iccid"
    EID = "eid"
    IMEISV = "imeisv"
    IMEI_WITHOUT_CHECK_DIGIT = "imei_without_check_digit"
    MEID = "meid"
    SSCC = "sscc"
    CONCATENATED = "concatenated"
    BADGE = "badge"
    COMMAND = "command"

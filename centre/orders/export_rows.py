"""The rows of exported files, from the resources of orders and from events. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from centre.store.event_export_rows import ExportedEvent
from centre.unreadable import UNREADABLE

__all__ = [
    "BOX_COLUMNS",
    "EVENT_COLUMNS",
    "ORDER_COLUMNS",
    "UNIT_COLUMNS",
    "box_rows_of",
    "event_rows_of",
    "order_rows_of",
    "unit_rows_of",
]

ORDER_COLUMNS = (
    "order", "site", "status", "revision", "version", "incomplete", "line", "sku", "name", "ordered", "scanned",
    "pending", "units", "boxes", "picking", "packing", "shipping", "opened_at", "packed_at", "changed_at",
)  # fmt: skip
UNIT_COLUMNS = (
    "unit", "order", "status", "line", "sku", "box", "label", "box_state", "site", "kiosk", "confirmed_at", "packed_at",
)  # fmt: skip
BOX_COLUMNS = (
    "box", "order", "status", "site", "kiosk", "state", "size", "length_mm", "width_mm", "height_mm", "label",
    "confirmed_at", "pieces", "units",
)  # fmt: skip
EVENT_COLUMNS = (
    "position", "received_at", "time", "site", "kiosk", "type", "order", "station", "operator", "document",
)  # fmt: skip

Resource = Mapping[str, Any]


def order_rows_of(resources: Iterable[Resource]) -> Iterator[dict[str, Any]]:
    """Yield a row for each line of the orders; an order without lines has one row."""
    for order in resources:
        names = {line["line"]: line.get("name") for line in (order["manifest"] or {}).get("lines") or ()}
        shared = {
            **{name: order[name] for name in ("order", "site", "status", "revision", "version", "incomplete")},
            **{name: order[name] for name in ("opened_at", "packed_at", "changed_at")},
            **order["operators"],
            "boxes": [box["box"] for box in order["boxes"]],
        }
        empty = dict.fromkeys(("line", "sku", "ordered", "scanned", "pending", "units"))
        for line in order["lines"] or [empty]:
            yield {**shared, **line, "name": names.get(line["line"])}


def unit_rows_of(resources: Iterable[Resource]) -> Iterator[dict[str, Any]]:
    """Yield a row for each device that lies in a box."""
    for order in resources:
        for box in order["boxes"]:
            for content in box["contents"]:
                for unit in content["units"]:
                    yield {
                        "unit": unit,
                        "line": content["line"],
                        "sku": content["sku"],
                        "box_state": box["state"],
                        **{name: order[name] for name in ("order", "status", "packed_at")},
                        **{name: box[name] for name in ("box", "label", "site", "kiosk", "confirmed_at")},
                    }


def box_rows_of(resources: Iterable[Resource]) -> Iterator[dict[str, Any]]:
    """Yield a row for each box."""
    for order in resources:
        for box in order["boxes"]:
            size = box["size"] or {}
            yield {
                **{name: order[name] for name in ("order", "status")},
                **{name: box[name] for name in ("box", "site", "kiosk", "state", "label", "confirmed_at")},
                "size": size.get("code"),
                **{name: size.get(name) for name in ("length_mm", "width_mm", "height_mm")},
                "pieces": sum(content["quantity"] for content in box["contents"]),
                "units": [unit for content in box["contents"] for unit in content["units"]],
            }


class _Document(Struct):
    station: str | None = None
    operator: str | None = None


_decoder = msgspec.json.Decoder(_Document)


def event_rows_of(events: Iterable[ExportedEvent]) -> Iterator[dict[str, Any]]:
    """Yield a row for each event, with its whole document."""
    for event in events:
        try:
            document = _decoder.decode(event.document)
        except UNREADABLE:
            document = _Document()  # of a newer kiosk
        yield {
            "position": event.position,
            "received_at": event.received_at,
            "time": event.time,
            "site": event.site,
            "kiosk": event.kiosk,
            "type": event.type,
            "order": event.order_name,
            "station": document.station,
            "operator": document.operator,
            "document": event.document.decode("utf-8", "replace"),
        }

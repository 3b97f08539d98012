"""Find by any text that stands on a phone, a box or a paper: where is it, who scanned it, what happened to it."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from centre.orders.unit_status import keys_of, unit_resource
from centre.store.box_rows import boxes_named
from centre.store.finding_rows import boxes_called, orders_called
from centre.store.story_rows import StoryRow
from centre.store.unit_rows import UnitEvent, UnitPlace, places_of_units, unit_events, unit_marks
from centre.web.board.event_story import StoryEntry, story_entry
from centre.web.board.looks import Appearance, order_look, unit_look
from centre.web.board.naming import Naming
from centre.web.board.order_sheet import BoxSheet, box_sheet

__all__ = ["Found", "FoundUnit", "OrderHit", "find"]

MAX_STORY = 200
MAX_BOXES = 20
MAX_ORDERS = 20
_SHORTEST_PART = 3
"""The shortest text that is looked for inside order ids."""


class FoundUnit(Struct, frozen=True, kw_only=True):
    """One device."""

    id: str
    aliases: Sequence[str]
    state: str
    sentence: str
    order: str | None
    box: str | None
    label: str | None
    place: str | None
    operator: str | None
    sku: str | None
    story: Sequence[StoryEntry]

    @property
    def look(self) -> Appearance:
        return unit_look(self.state)


class OrderHit(Struct, frozen=True, kw_only=True):
    """One order."""

    order: str
    status: str

    @property
    def look(self) -> Appearance:
        return order_look(self.status)


class Found(Struct, frozen=True, kw_only=True):
    """All that a text names."""

    units: Sequence[FoundUnit] = ()
    boxes: Sequence[BoxSheet] = ()
    orders: Sequence[OrderHit] = ()
    hint: str | None = None

    @property
    def any(self) -> bool:
        return bool(self.units or self.boxes or self.orders)

    def only_order(self, text: str) -> str | None:
        """Return the order whose id the text is, if it names nothing else."""
        is_clear = not self.units and not self.boxes and self.orders and self.orders[0].order == text
        return text if is_clear else None


def find(connection: Connection, text: str, naming: Naming) -> Found:
    """Look a text up as a device, a box, a label and an order."""
    unit = _unit(connection, text, naming)
    boxes = [
        box_sheet(row, naming)
        for name in boxes_called(connection, text, limit=MAX_BOXES)
        for row in boxes_named(connection, name)
    ]
    orders = orders_called(connection, text, limit=MAX_ORDERS if len(text) >= _SHORTEST_PART else 0)
    return Found(
        units=[unit] if unit else [],
        boxes=boxes,
        orders=[OrderHit(order=order, status=status) for order, status in orders],
        hint=_hint(text),
    )


def _hint(text: str) -> str | None:
    """Return what may be wrong with a text that names nothing."""
    if text.isdigit() and len(text) in (14, 16):
        return "It looks like an IMEI with a digit too few or too many: an IMEI has 15."
    return None


def _unit(connection: Connection, text: str, naming: Naming) -> FoundUnit | None:
    keys = keys_of([text])
    known = unit_resource(text, (), unit_events(connection, keys, limit=MAX_STORY), ())
    keys |= keys_of(known["identifiers"])
    history, places = unit_events(connection, keys, limit=MAX_STORY), places_of_units(connection, keys)
    if not history and not places:
        return None
    unit = unit_resource(text, places, history, unit_marks(connection, keys))
    story = [_entry(event, naming, unit["identifiers"]) for event in reversed(history)]
    counted = next((entry for entry in story if entry.title == "Counted"), None)
    place = places[-1] if places else None
    id = place.unit if place else text
    label = _label(connection, place)
    bench = counted.place if counted else naming.bench(place.site, place.kiosk, None) if place else None
    return FoundUnit(
        id=id,
        aliases=[other for other in unit["identifiers"] if other != id],
        state=unit["state"],
        sentence=_sentence(unit["state"], unit["order"], label or unit["box"], bench, _why(story)),
        order=unit["order"],
        box=unit["box"],
        label=label,
        place=bench,
        operator=counted.operator if counted else None,
        sku=place.sku if place else None,
        story=story,
    )


def _entry(event: UnitEvent, naming: Naming, identifiers: Sequence[str]) -> StoryEntry:
    """Return what an event says, without the name of the device that all of them are about."""
    row = StoryRow(
        position=event.position, type=event.type, order_name=None, time=event.time, received_at=event.received_at,
        state="projected", document=event.document, site=event.site, kiosk=event.kiosk,
    )  # fmt: skip
    entry = story_entry(row, naming, with_order=True)
    named = next((one for one in identifiers if entry.text.startswith(one)), "")
    return replace(entry, text=entry.text.removeprefix(named).removeprefix(": "))


def _label(connection: Connection, place: UnitPlace | None) -> str | None:
    """Return the label of the box that a device lies in."""
    if place is None:
        return None
    boxes = [row for row in boxes_named(connection, place.box) if row.order_name == place.order_name]
    return boxes[-1].label if boxes else None


def _why(story: Sequence[StoryEntry]) -> str:
    """Return the reason of the newest hold."""
    reason = next((entry.text for entry in story if entry.title == "Held"), "")
    return f" ({reason.rstrip('.')})" if reason else ""


def _sentence(state: str, order: str | None, box: str | None, bench: str | None, why: str) -> str:
    """Return where a device is, and what to do if something is wrong with it."""
    at = f", at {bench}" if bench else ""
    match state:
        case "packed":
            return f"It is packed in box {box} of order {order}{at}."
        case "counted":
            return f"It is in box {box} of order {order}{at}. That order is not packed yet."
        case "held":
            return (
                f"It must not ship{why}. Take it out of {order}: scan REMOVE, then the phone; or wait for its release."
            )
        case "returned":
            return "It came back, and may be sold again."
        case "voided":
            return f"It is in no box. It was taken out of order {order}{at}: look for it there."
        case _:
            return "It has been named, but is in no box."

"""What can be scanned next, in the demo's words: following the hints packs every order. Pure."""

from collections.abc import Iterator

from msgspec import Struct

from agent.contract.manifest import Flow, Line, Role, same_case
from agent.demo.sample import ORDERS, shelf_of_manifest
from agent.workflow.state import Order, Phase, State, StationState

__all__ = ["Hint", "hint_of"]


class Hint(Struct, frozen=True):
    """`say` is what the station waits for; `words` are what can be typed, the best first."""

    say: str
    words: tuple[str, ...]


_MODE_WORDS = {Flow.USED: "mode used", Flow.DISTRIBUTION: "mode dist", Flow.POS: "mode pos"}
_ROLE_WORDS = {Role.PICKING: "role pick", Role.PACKING: "role pack", Role.SHIPPING: "role ship"}
_ABLE = {Role.PICKING: "badge e7", Role.PACKING: "badge e8", Role.SHIPPING: "badge e9"}


def hint_of(state: State, station: str) -> Hint:
    """Return the hint for a station."""
    here = state.station(station)
    if here.operator is None:
        return Hint("nobody is signed in: scan a badge", ("badge e7", "badge e8", "badge e9"))
    order = state.orders[here.order] if here.order is not None else None
    if order is None:
        return _ready(state)
    match here.phase:
        case Phase.ASSIGNING:
            return _assigning(here)
        case Phase.BOXING:
            return _boxing(here, order)
        case Phase.PACKING:
            return _packing(here, order)
        case _:
            return _scanning(state, here, order)


def _ready(state: State) -> Hint:
    ids = [str(order["order"]) for order in ORDERS]
    left = [order for order in ids if not _is_packed(state, order)]
    if not left:
        return Hint("every order is packed: that was it", ("out", "quit"))
    return Hint("open an order", tuple(f"order {order.lower()}" for order in left))


def _is_packed(state: State, order: str) -> bool:
    return order in state.packed or (order in state.orders and not state.orders[order].is_open)


def _assigning(here: StationState) -> Hint:
    if here.role == "all":
        return Hint("the badge of the one who does everything", ("badge e7", "badge e8", "cancel"))
    role = Role(here.role) if here.role is not None else Role.PICKING
    return Hint(f"the badge of the one who does {role}", (_ABLE[role], "cancel"))


def _boxing(here: StationState, order: Order) -> Hint:
    box = order.box
    if here.mode is not Flow.USED and (box is None or box.size is None):
        return Hint("the box is made: choose its size", ("box m", "box s", "box l", "label 1", "cancel"))
    return Hint("the box is made: save once more confirms it", ("save", "label 1", "cancel"))


def _packing(here: StationState, order: Order) -> Hint:
    packer = order.role(Role.PACKING)
    if packer is not None and packer != here.operator:
        return Hint(f"{packer} confirms, who is assigned to packing", (f"badge {packer.lower()}", "cancel"))
    return Hint("ordered = scanned: confirm the packing", ("confirm", "cancel"))


def _scanning(state: State, here: StationState, order: Order) -> Hint:
    if order.holds:
        return _held(here, order)
    if here.remove:
        return Hint("scan what is taken out", ("cancel",))
    vacant = [role for role in Role if order.role(role) is None]
    if vacant:
        return Hint("a role is vacant", (*(_ROLE_WORDS[role] for role in vacant), "role all"))
    if here.mode is None:
        flows = dict.fromkeys(line.flow for line in order.manifest.lines)
        return Hint("the order has lines of several modes: choose one", tuple(_MODE_WORDS[flow] for flow in flows))
    wanted = tuple(_wanted(state, here, order))
    save = () if order.box is None else ("save",)
    if wanted:
        return Hint("scan what is still pending", (*wanted, *save))
    if save:
        return Hint("all of this mode is scanned: make the box", save)
    other = next((line.flow for line in order.manifest.lines if order.pending_on(line.id) > 0), None)
    if other is not None:
        return Hint("now the lines of the other mode", (_MODE_WORDS[other],))
    return Hint("everything is scanned and boxed: pack", ("pack",))


def _held(here: StationState, order: Order) -> Hint:
    held = order.held_units()
    words = tuple(
        f"imei {number}"
        for number, (imei, _) in enumerate(shelf_of_manifest(order.manifest).imeis, 1)
        if same_case(imei) in held
    )
    if here.remove:
        return Hint("scan the unit that the centre holds", (*words, "cancel"))
    return Hint(f"the centre holds {' and '.join(words)}: take it out", ("remove",))


def _wanted(state: State, here: StationState, order: Order) -> Iterator[str]:
    """Yield the words for what is pending in the mode."""
    for number, line in enumerate(order.manifest.lines, 1):
        pending = order.pending_on(line.id)
        if line.flow is not here.mode or pending <= 0:
            continue
        if not line.serialized:
            if here.quantity is None and pending > 1:
                yield f"qty {pending}"
            yield f"product {number}"
        elif here.mode is Flow.DISTRIBUTION and here.product != line.sku:
            yield f"product {number}"
        else:
            yield from _units(state, order, line, pending)


def _units(state: State, order: Order, line: Line, pending: int) -> Iterator[str]:
    """Yield the words for as many units on the shelf as are pending, without those that the centre has barred."""
    shelf = shelf_of_manifest(order.manifest)
    gone = {*order.counted, *state.barred}
    found = 0
    for word, units in (("imei", shelf.imeis), ("serial", shelf.serials)):
        for number, (unit, of_line) in enumerate(units, 1):
            if of_line == line.id and same_case(unit) not in gone and found < pending:
                found += 1
                yield f"{word} {number}"

"""What there is to see at one moment, put together from the kiosk's own state and the board. Pure."""

from msgspec import Struct

from agent.contract.manifest import Role
from agent.daemon.root import Look
from agent.demo.board import Glimpse
from agent.demo.hints import Hint, hint_of
from agent.demo.sample import STATION
from agent.workflow.state import Box, State

__all__ = ["BoxView", "LineView", "OrderView", "View", "view_of"]


class LineView(Struct, frozen=True, kw_only=True):
    line: str
    sku: str
    name: str
    flow: str
    ordered: int
    scanned: int
    is_selected: bool

    @property
    def pending(self) -> int:
        return self.ordered - self.scanned


class BoxView(Struct, frozen=True, kw_only=True):
    id: str
    state: str
    pieces: int
    size: str | None
    label: str | None


class OrderView(Struct, frozen=True, kw_only=True):
    """`roles` pairs each role with its operator, none where it is vacant; `confirmed` counts the order's boxes."""

    order: str
    mode: str | None
    lines: tuple[LineView, ...]
    scanned: int
    ordered: int
    roles: tuple[tuple[str, str | None], ...]
    box: BoxView | None
    confirmed: int
    is_held: bool
    pending_step: str | None


class View(Struct, frozen=True, kw_only=True):
    """`acked` is the sequence up to which the kiosk knows its events delivered, `last` its newest."""

    broker: str
    phase: str
    operator: str | None
    order: OrderView | None
    hint: Hint
    is_online: bool
    acked: int
    last: int
    backlog: int
    glimpse: Glimpse


def view_of(look: Look, glimpse: Glimpse, broker: str) -> View:
    station = look.state.station(STATION)
    return View(
        broker=broker,
        phase=station.phase if station.operator is not None else "signed out",
        operator=station.operator,
        order=_order_view(look.state),
        hint=hint_of(look.state, STATION),
        is_online=look.uplink.online,
        acked=look.uplink.acked_sequence,
        last=look.uplink.last_sequence,
        backlog=look.uplink.backlog,
        glimpse=glimpse,
    )


def _order_view(state: State) -> OrderView | None:
    station = state.station(STATION)
    if station.order is None:
        return None
    order = state.orders[station.order]
    step = "remove" if station.remove else None
    return OrderView(
        order=order.id,
        mode=station.mode,
        lines=tuple(
            LineView(
                line=line.id,
                sku=line.sku,
                name=line.name or "",
                flow=line.flow,
                ordered=line.quantity,
                scanned=order.scanned_on(line.id),
                is_selected=station.product == line.sku,
            )
            for line in order.manifest.lines
        ),
        scanned=order.total_scanned,
        ordered=order.manifest.total_ordered,
        roles=tuple((role.value, order.role(role)) for role in Role),
        box=None if order.box is None else _box_view(order.box),
        confirmed=len(order.confirmed),
        is_held=bool(order.holds),
        pending_step=f"{step or ''} qty {station.quantity}".strip() if station.quantity is not None else step,
    )


def _box_view(box: Box) -> BoxView:
    pieces = sum(entry.quantity for entry in box.entries)
    return BoxView(id=box.id, state=box.state, pieces=pieces, size=box.size, label=box.label)

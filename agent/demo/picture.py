"""The picture of the kiosk at a terminal: light, buzzer, order, scans, events, and what to scan next. Uses rich."""

import io
from collections.abc import Callable

from rich import box
from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from agent.contract.signals import Colour, Signal
from agent.demo.board import Answer, Caption, Glimpse
from agent.demo.telling import beeps
from agent.demo.view import OrderView, View

__all__ = ["Picture", "picture_of", "svg_of"]

_FRAMES_PER_S = 15
_ROOMY_ROWS = 30
"""From so many rows on, there is room for the large light."""
_SVG_COLUMNS, _SVG_ROWS = 112, 36

_STYLE = {
    Colour.OFF: "grey30",
    Colour.RED: "bright_red",
    Colour.GREEN: "bright_green",
    Colour.BLUE: "bright_blue",
    Colour.AMBER: "orange1",
}
_DISC = (
    "   ▄▄██████▄▄   ",
    " ▄████████████▄ ",
    "████████████████",
    "████████████████",
    " ▀████████████▀ ",
    "   ▀▀██████▀▀   ",
)
_SMALL_DISC = (
    " ▄████████████▄ ",
    "████████████████",
    " ▀████████████▀ ",
)
_SIGNAL_STYLE = {
    Signal.REJECT: "bold bright_red",
    Signal.FAULT: "bold bright_red",
    Signal.ALARM: "bold bright_red",
    Signal.AGAIN: "bold orange1",
    Signal.REMOVED: "bold orange1",
    Signal.PROMPT: "bold bright_blue",
    Signal.BOXED: "bold bright_blue",
    Signal.WHERE: "bold",
}
_GOOD = "bold bright_green"
_THEME = TerminalTheme(
    (16, 20, 26),
    (216, 222, 233),
    [(32, 38, 48), (232, 90, 90), (110, 200, 120), (229, 192, 123), (97, 150, 239), (198, 120, 221),
     (86, 182, 194), (200, 206, 217)],
    [(110, 120, 135), (255, 92, 92), (80, 220, 110), (255, 210, 100), (90, 160, 255), (215, 140, 235),
     (100, 210, 220), (240, 244, 250)],
)  # fmt: skip


def picture_of(view: View, rows: int) -> RenderableType:
    """The whole picture, for 80 columns and 24 rows or more."""
    is_roomy = rows >= _ROOMY_ROWS
    layout = Layout()
    layout.split_column(
        Layout(_header(view), size=1),
        Layout(name="bench", size=13 if is_roomy else 10),
        Layout(name="lists", minimum_size=4),
        Layout(_footer(view), size=8 if view.glimpse.note else 6),
    )
    layout["bench"].split_row(
        Layout(_light(view, _DISC if is_roomy else _SMALL_DISC), size=26), Layout(_order(view, is_roomy=is_roomy))
    )
    layout["lists"].split_row(Layout(_scans(view.glimpse)), Layout(_events(view)))
    return layout


def svg_of(view: View) -> str:
    """The picture as an SVG document."""
    console = Console(
        record=True, width=_SVG_COLUMNS, height=_SVG_ROWS, file=io.StringIO(), force_terminal=True,
        color_system="truecolor", legacy_windows=False,
    )  # fmt: skip
    console.print(picture_of(view, _SVG_ROWS), height=_SVG_ROWS)
    return console.export_svg(title="kiosk-agent demo", theme=_THEME)


class Picture:
    """Draws what `view` answers, some times a second, on the whole terminal; leaves it as it was."""

    def __init__(self, view: Callable[[], View | None]) -> None:
        self._view = view
        self._live = Live(
            get_renderable=self._draw, screen=True, auto_refresh=True, refresh_per_second=_FRAMES_PER_S,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip

    def open(self) -> None:
        self._live.start(refresh=True)

    def close(self) -> None:
        self._live.stop()

    def _draw(self) -> RenderableType:
        view = self._view()
        return Text("the kiosk starts …") if view is None else picture_of(view, self._live.console.height)


# -- its parts ---------------------------------------------------------------------------------------------------


def _header(view: View) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    online = Text("● online", "bright_green") if view.is_online else Text("○ offline", "orange1")
    who = "nobody signed in" if view.operator is None else f"operator {view.operator}"
    line.add_row(
        Text.assemble((" kiosk-agent ", "bold reverse"), f"  station 1 · {who} · {view.phase}"),
        Text.assemble((f"{view.broker}  ", "bright_black"), online, " "),
    )
    return line


def _light(view: View, disc: tuple[str, ...]) -> RenderableType:
    lights = view.glimpse.lights
    colour = lights.colour
    last = view.glimpse.last
    steady = "" if lights.steady is None else f"steady: {lights.steady.replace('_', ' ')}"
    parts: list[RenderableType] = [
        Align.center(_disc(disc, colour)),
        Align.center(Text(f"light {colour.name}", f"bold {_STYLE[colour]}")),
        Align.center(_last(last)),
        Align.center(Text((last.reason or "") if last is not None else "", "bright_red")),
        Align.center(_buzzer(last, lights.buzz)),
        Align.center(Text(steady, "bright_black")),
    ]
    return Panel(Group(*parts), title="light and buzzer", border_style=_STYLE[colour], box=box.ROUNDED)


def _disc(rows: tuple[str, ...], colour: Colour) -> Text:
    """Whole cells have their background painted too, so that no seams show between them."""
    style = _STYLE[colour]
    return Text("\n", no_wrap=True).join(
        Text.assemble(*((cell, f"{style} on {style}" if cell == "█" else style) for cell in row)) for row in rows
    )


def _last(last: Answer | None) -> Text:
    return Text("") if last is None else Text(f"{last.signal} ".upper(), _signal_style(last.signal))


def _signal_style(signal: Signal) -> str:
    return _SIGNAL_STYLE.get(signal, _GOOD)


def _buzzer(last: Answer | None, sounds: bool) -> Text:
    marks = "" if last is None else beeps(last.signal, last.pending, short="•", long="━━")
    return Text.assemble("buzzer ", (marks or "–", "bold reverse" if sounds else "bold"))


def _order(view: View, *, is_roomy: bool) -> RenderableType:
    order = view.order
    if order is None:
        return Panel(
            Align.center(Text("no order is open", "bright_black"), vertical="middle"), title="order", box=box.ROUNDED
        )
    title = f"order {order.order} · {order.mode or 'mode not chosen'}"
    held = Text("  HELD BY THE CENTRE", "bold bright_red") if order.is_held else Text("")
    parts = [_lines(order), _counts(order), _roles(order), Text.assemble(_box(order), held)]
    if is_roomy:
        parts = [part for one in parts for part in (one, Text(""))]
    return Panel(
        Group(*parts),
        title=title, border_style="bright_red" if order.is_held else "bright_blue", box=box.ROUNDED,
    )  # fmt: skip


def _lines(order: OrderView) -> RenderableType:
    table = Table(box=None, expand=True, padding=(0, 1), header_style="bright_black")
    table.add_column("product", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("flow", no_wrap=True)
    for name in ("ordered", "scanned", "pending"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in order.lines:
        is_done = line.pending <= 0
        mark = "✔" if is_done else "▸" if line.is_selected else " "
        table.add_row(
            Text.assemble(f"{mark} {line.line}  {line.name}  ", (line.sku, "bright_black")),
            line.flow,
            str(line.ordered),
            Text(str(line.scanned), "bold bright_green" if line.scanned else ""),
            Text(str(line.pending), "bright_black" if is_done else "bold orange1"),
        )
    return table


def _counts(order: OrderView) -> RenderableType:
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(ratio=1)
    row.add_row(
        Text.assemble(
            " scanned ", (str(order.scanned), "bold bright_green"),
            "  pending ", (str(order.ordered - order.scanned), "bold orange1"),
        ),
        ProgressBar(total=order.ordered, completed=order.scanned, complete_style="bright_green",
                    finished_style="bright_green"),
    )  # fmt: skip
    return row


def _roles(order: OrderView) -> Text:
    parts = [(f"{role} ", operator or "vacant") for role, operator in order.roles]
    text = Text(" ")
    for role, operator in parts:
        text.append(role, "bright_black")
        text.append(f"{operator}  ", "orange1" if operator == "vacant" else "bold")
    if order.pending_step:
        text.append(f" {order.pending_step} …", "bold bright_blue")
    return text


def _box(order: OrderView) -> Text:
    text = Text(" ")
    if order.box is None:
        text.append("no open box", "bright_black")
    else:
        size = f" · size {order.box.size}" if order.box.size else ""
        label = f" · label {order.box.label}" if order.box.label else ""
        text.append("box ", "bright_black")
        text.append(f"{order.box.id} ", "bold")
        text.append(f"{order.box.state} · {_pieces(order.box.pieces)}{size}{label}")
    if order.confirmed:
        text.append(f"   {order.confirmed} confirmed", "bright_green")
    return text


def _pieces(count: int) -> str:
    return "1 piece" if count == 1 else f"{count} pieces"


def _scans(glimpse: Glimpse) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(no_wrap=True, max_width=24, overflow="ellipsis")
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    # The newest first: a list too long for its place loses its oldest.
    for answer in reversed(glimpse.answers):
        table.add_row(
            Text(answer.typed or "(the centre)", "" if answer.typed else "bright_black"),
            Text(answer.signal, _signal_style(answer.signal)),
            Text(answer.reason or "", "bright_red" if answer.signal is not Signal.AGAIN else "orange1"),
        )
    return Panel(table, title="scans, the newest first", box=box.ROUNDED, border_style="bright_black")


def _events(view: View) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for arrival in reversed(view.glimpse.arrivals):
        is_acked = arrival.sequence <= view.acked
        table.add_row(
            Text(f"{'✔' if is_acked else '…'} {arrival.sequence:>3}", "bright_green" if is_acked else "orange1"),
            arrival.kind,
            Text(arrival.summary, "bright_black"),
        )
    title = f"centre: {view.acked} of {view.last} events acknowledged, {view.backlog} waiting"
    return Panel(table, title=title, box=box.ROUNDED, border_style="bright_black")


def _caption(caption: Caption) -> Text:
    text = Text(caption.scene, "bold bright_blue")
    if caption.say:
        text.append(f"   {caption.say}", "bold default")
    return text


def _footer(view: View) -> RenderableType:
    glimpse = view.glimpse
    rows = [
        Text.assemble(
            ("next  ", "bright_black"), f"{view.hint.say}: ", (" · ".join(view.hint.words), "bold bright_green")
        ),
        Text("also  help · quit · any barcode", "bright_black"),
        Text.assemble(("scan> ", "bold"), glimpse.line, ("█", "blink")),
    ]
    if glimpse.note:
        rows[1] = Text(glimpse.note, "italic")
    else:
        rows.insert(0, _caption(glimpse.caption))
    for row in rows:
        if row.plain != glimpse.note:
            row.no_wrap = True
            row.overflow = "ellipsis"
    return Panel(Group(*rows), box=box.ROUNDED, border_style="bright_black")

"""The demo at a keyboard, or with words from a pipe."""

from collections.abc import Iterable

from agent.demo.console import Console
from agent.demo.hints import hint_of
from agent.demo.kiosk import DemoKiosk
from agent.demo.sample import STATION
from agent.demo.words import Leave, Remark, Scan, typed_of

__all__ = ["type_in"]


def type_in(kiosk: DemoKiosk, console: Console, lines: Iterable[bytes]) -> None:
    """Scan one line after the other, until they end or somebody leaves; say after each scan what can be next."""
    _say_hint(kiosk, console)
    console.prompt()
    for line in lines:
        text = line.decode("utf-8", "surrogateescape").strip(" \r\n")
        match typed_of(text, kiosk.shelf()) if text else Remark(""):
            case Scan(code):
                if kiosk.scan(text, code) is None:
                    return
                kiosk.settle()  # so that the events of this scan stand before the next prompt
                _say_hint(kiosk, console)
            case Remark(remark):
                if remark:
                    console.say(f"       {remark}")
            case Leave():
                return
        console.prompt()


def _say_hint(kiosk: DemoKiosk, console: Console) -> None:
    state = kiosk.state()
    name = state.station(STATION).order
    if name is not None:
        order = state.orders[name]
        held = ", held by the centre" if order.holds else ""
        console.say(f"order  {order.id}: {order.total_scanned} of {order.manifest.total_ordered} scanned{held}")
    hint = hint_of(state, STATION)
    console.say(f"next   {hint.say}: {' · '.join(hint.words)}")

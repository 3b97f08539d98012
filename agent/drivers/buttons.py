"""Push-buttons of a station: each press is a callback in the event loop, with the button's name.

(`settings.md#buttons`)
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from agent.drivers.indicators.gpio import open_button
from agent.runtime.event_loop import Loop

__all__ = ["BOUNCE_S", "Buttons"]

BOUNCE_S = 0.05
"""Contacts settle faster than this, and nobody presses twice within it."""


class Buttons:
    """Push-buttons by name, each between a GPIO pin (BCM number) and ground. `on_press(name)` is called in the loop.

    Raises DeviceError if a pin cannot be opened; then none stays open.
    """

    def __init__(
        self,
        pins: Mapping[str, int],
        on_press: Callable[[str], None],
        *,
        loop: Loop,
        bounce_s: float = BOUNCE_S,
    ) -> None:
        self._on_press = on_press
        self._loop = loop
        self._closed = False
        with ExitStack() as opened:
            for name, pin in pins.items():
                button = open_button(pin, self._handler(name), bounce_s=bounce_s)
                opened.callback(button.close)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the pins; no press is reported afterwards. Idempotent."""
        self._closed = True
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _handler(self, name: str) -> Callable[[], None]:
        def pressed() -> None:
            if not self._closed:
                self._loop.call_soon_threadsafe(self._deliver, name)

        return pressed

    def _deliver(self, name: str) -> None:
        if not self._closed:
            self._on_press(name)

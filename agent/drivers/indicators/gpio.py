"""The indicator on GPIO pins, and the pins of push-buttons. The only file that imports gpiozero.

gpiozero chooses its backend by GPIOZERO_PIN_FACTORY. It is set to `lgpio` unless set already, so that gpiozero does not
fall back to another backend silently. lgpio keeps a FIFO in the folder LG_WD, which must be writable.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from glob import glob
from typing import Any, Protocol

from agent.contract.signals import Colour
from agent.drivers.device_access import access_problem
from agent.drivers.indicators.player import Player
from agent.errors import DeviceError

__all__ = ["Button", "GpioIndicator", "GpioLamp", "open_button"]


class Button(Protocol):
    """An open push-button."""

    when_pressed: Callable[[], None] | None

    def close(self) -> None:
        """Close the pin. Idempotent."""


class GpioLamp:
    """An RGB light, an active buzzer and a bar of LEDs on BCM pins. Raises DeviceError if one cannot be opened.

    `active_high` is for all of them; False means that a pin at ground switches on.
    """

    def __init__(
        self,
        *,
        red: int,
        green: int,
        blue: int,
        buzzer: int | None = None,
        bar: Sequence[int] = (),
        active_high: bool = True,
    ) -> None:
        pins = [red, green, blue, *([] if buzzer is None else [buzzer]), *bar]
        with ExitStack() as opened, _translated(f"GPIO pins {', '.join(map(str, pins))}"):
            gpiozero = _gpiozero()
            self._light = opened.enter_context(gpiozero.RGBLED(red, green, blue, active_high=active_high, pwm=False))
            self._buzzer = (
                None if buzzer is None else opened.enter_context(gpiozero.Buzzer(buzzer, active_high=active_high))
            )
            self._bar = [opened.enter_context(gpiozero.LED(pin, active_high=active_high)) for pin in bar]
            self._opened = opened.pop_all()

    def set(self, colour: Colour, buzz: bool) -> None:
        """Show the colour, and sound the buzzer or not, until the next call. Raises DeviceError."""
        with _translated("GPIO"):
            self._light.value = colour.value
            if self._buzzer is not None:
                self._buzzer.value = buzz

    def bar(self, fraction: float) -> None:
        """Light this fraction of the LEDs, from the first on.

        The last LED lights only when the order is complete, the first as soon as anything is scanned.
        """
        lit = int(fraction * len(self._bar) + 1e-9) or (1 if fraction > 0 and len(self._bar) > 1 else 0)
        with _translated("GPIO"):
            for number, led in enumerate(self._bar):
                led.value = number < lit

    def close(self) -> None:
        """Switch everything off and close the pins. Idempotent. Raises DeviceError."""
        with _translated("GPIO"):
            self._opened.close()


class GpioIndicator(Player):
    """Plays the signals on GPIO pins. The arguments are those of `GpioLamp`. (`settings.md#indicator`)"""

    def __init__(
        self,
        *,
        red: int,
        green: int,
        blue: int,
        buzzer: int | None = None,
        bar: Sequence[int] = (),
        active_high: bool = True,
    ) -> None:
        super().__init__(
            GpioLamp(red=red, green=green, blue=blue, buzzer=buzzer, bar=bar, active_high=active_high),
            name=f"gpio {red}",
        )


def open_button(pin: int, when_pressed: Callable[[], None], *, bounce_s: float) -> Button:
    """Open a button between a pin and ground. `when_pressed` is called in a thread of gpiozero's.

    Raises DeviceError.
    """
    with _translated(f"GPIO pin {pin}"):
        button: Button = _gpiozero().Button(pin, pull_up=True, bounce_time=bounce_s)
        button.when_pressed = when_pressed
        return button


def _gpiozero() -> Any:
    os.environ.setdefault("GPIOZERO_PIN_FACTORY", "lgpio")
    os.environ.setdefault("LG_WD", os.environ.get("RUNTIME_DIRECTORY", tempfile.gettempdir()).split(":")[0])
    import gpiozero

    return gpiozero


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Raise errors of gpiozero and its backend as DeviceError. (`faults.md#gpio-failure`)"""
    try:
        yield
    except _failures() as exc:  # evaluated only when something was raised
        raise DeviceError(f"{what}: {exc}{_access_hint()}") from exc


def _access_hint() -> str:
    """Return why the GPIO chips may not be used, if that is so: the backends only say that it did not work."""
    problems = ((chip, access_problem(chip)) for chip in sorted(glob("/dev/gpiochip*")))
    return next((f" ({chip}: {problem})" for chip, problem in problems if problem is not None), "")


def _failures() -> tuple[type[Exception], ...]:
    """Return the exceptions of the operating system, and of gpiozero and lgpio if they are imported."""
    named = (("gpiozero", "GPIOZeroError"), ("lgpio", "error"))
    theirs = (getattr(sys.modules[module], error) for module, error in named if module in sys.modules)
    return (OSError, ImportError, *theirs)

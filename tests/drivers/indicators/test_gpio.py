"""The indicator on GPIO pins, with gpiozero's mock pins."""

import os
import sys
from pathlib import Path
from types import ModuleType

import gpiozero
import pytest

from agent.contract.signals import Colour, Signal
from agent.drivers.indicators.gpio import GpioIndicator, GpioLamp, open_button
from agent.errors import DeviceError
from harness.waiting import wait_for

pytestmark = pytest.mark.usefixtures("mock_pins")

RED, GREEN, BLUE, BUZZER = 17, 27, 22, 18
BAR = (5, 6, 13, 19, 26)


def level(pin: int) -> bool:
    return bool(gpiozero.Device.pin_factory.pin(pin).state)


def levels(*pins: int) -> tuple[bool, ...]:
    return tuple(level(pin) for pin in pins)


@pytest.mark.parametrize("colour", Colour)
@pytest.mark.parametrize("buzz", [True, False])
def test_colour_and_buzzer_are_pins_high(colour: Colour, buzz: bool) -> None:
    lamp = GpioLamp(red=RED, green=GREEN, blue=BLUE, buzzer=BUZZER)
    lamp.set(colour, buzz)
    assert levels(RED, GREEN, BLUE, BUZZER) == (*map(bool, colour.value), buzz)
    lamp.close()


def test_active_low_inverts_all_pins() -> None:
    """(`settings.md#indicator`)"""
    lamp = GpioLamp(red=RED, green=GREEN, blue=BLUE, buzzer=BUZZER, bar=BAR, active_high=False)
    lamp.set(Colour.RED, True)
    lamp.bar(0.0)
    assert levels(RED, GREEN, BLUE, BUZZER, *BAR) == (False, True, True, False, *[True] * 5)
    lamp.close()


@pytest.mark.parametrize(
    ("scanned", "ordered", "lit"), [(0, 10, 0), (1, 100, 1), (2, 10, 1), (4, 10, 2), (3, 5, 3), (99, 100, 4), (7, 7, 5)]
)
def test_bar_is_full_only_when_complete_and_empty_only_at_zero(scanned: int, ordered: int, lit: int) -> None:
    """(`signals.md#led-bar`)"""
    lamp = GpioLamp(red=RED, green=GREEN, blue=BLUE, bar=BAR)
    lamp.bar(scanned / ordered)
    assert levels(*BAR) == (True,) * lit + (False,) * (5 - lit)
    lamp.close()


def test_buzzer_and_bar_are_optional() -> None:
    lamp = GpioLamp(red=RED, green=GREEN, blue=BLUE)
    lamp.set(Colour.GREEN, True)
    lamp.bar(1.0)
    assert levels(RED, GREEN, BLUE) == (False, True, False)
    lamp.close()


def test_closed_lamp_releases_its_pins() -> None:
    lamp = GpioLamp(red=RED, green=GREEN, blue=BLUE, buzzer=BUZZER, bar=BAR)
    lamp.set(Colour.RED, True)
    lamp.close()
    lamp.close()
    assert gpiozero.Device.pin_factory.pin(RED).function == "input"
    GpioLamp(red=RED, green=GREEN, blue=BLUE, buzzer=BUZZER, bar=BAR).close()


def test_pin_used_twice_is_refused_and_none_stays_open() -> None:
    """(`faults.md#gpio-failure`)"""
    with pytest.raises(DeviceError, match=r"GPIO pins 17, 27, 22, 17"):
        GpioLamp(red=RED, green=GREEN, blue=BLUE, buzzer=RED)
    GpioLamp(red=RED, green=GREEN, blue=BLUE).close()


def test_pin_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DeviceError, match="99"):
        GpioLamp(red=RED, green=GREEN, blue=99)


def test_missing_backend_is_refused_and_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """(`faults.md#gpio-failure`)"""
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "none-such")
    with pytest.raises(DeviceError, match="none-such"):
        GpioLamp(red=RED, green=GREEN, blue=BLUE)


def test_backend_is_lgpio_and_its_folder_writable_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY")
    monkeypatch.delenv("LG_WD", raising=False)
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}:/run/other")
    GpioLamp(red=RED, green=GREEN, blue=BLUE).close()
    assert (os.environ["GPIOZERO_PIN_FACTORY"], os.environ["LG_WD"]) == ("lgpio", str(tmp_path))


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), "lgpio", "gpiozero"])
def test_pin_that_fails_later_is_a_device_error(error: OSError | str, monkeypatch: pytest.MonkeyPatch) -> None:
    """(`faults.md#gpio-failure`)"""

    class LgpioError(Exception):
        pass

    lgpio = ModuleType("lgpio")
    monkeypatch.setattr(lgpio, "error", LgpioError, raising=False)
    monkeypatch.setitem(sys.modules, "lgpio", lgpio)
    raised = {"lgpio": LgpioError("'GPIO not allocated'"), "gpiozero": gpiozero.PinInvalidState("no")}
    failure = raised[error] if isinstance(error, str) else error
    lamp = GpioLamp(red=RED, green=GREEN, blue=BLUE)

    def fail(_pin: object, _value: object) -> None:
        raise failure

    with monkeypatch.context() as broken:
        broken.setattr("gpiozero.pins.mock.MockPin._set_state", fail)
        with pytest.raises(DeviceError, match="GPIO: "):
            lamp.set(Colour.RED, False)
    lamp.set(Colour.RED, False)
    lamp.close()


def test_indicator_shows_signals_on_its_pins() -> None:
    """(`signals.md#signal-table`)"""
    pin = gpiozero.Device.pin_factory.pin(GREEN)
    with GpioIndicator(red=RED, green=GREEN, blue=BLUE, buzzer=BUZZER) as indicator:
        indicator.show(Signal.OK, None, monotonic_ns=1)
        wait_for(lambda: any(state.state for state in pin.states), "the green light")
    assert indicator.fault is None


def test_button_that_cannot_be_opened_is_refused() -> None:
    button = open_button(23, lambda: None, bounce_s=0.05)
    with pytest.raises(DeviceError, match="GPIO pin 23"):
        open_button(23, lambda: None, bounce_s=0.05)
    button.close()
    button.close()

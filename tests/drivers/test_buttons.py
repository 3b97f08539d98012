"""Push-buttons, with gpiozero's mock pins."""

import asyncio
import threading

import gpiozero
import pytest

from agent.drivers.buttons import Buttons
from agent.errors import DeviceError
from tests.drivers.benches import run, turns, until

pytestmark = pytest.mark.usefixtures("mock_pins")

SAVE, UNDO = 23, 24


def press(pin: int) -> None:
    """Press and release, in a thread that is not the loop's, as gpiozero does."""

    def push() -> None:
        button = gpiozero.Device.pin_factory.pin(pin)
        button.drive_low()
        button.drive_high()

    thread = threading.Thread(target=push)
    thread.start()
    thread.join()


def test_press_is_reported_once_by_name_in_the_loops_thread() -> None:
    """(`settings.md#buttons`)"""

    async def test() -> None:
        pressed: list[tuple[str, int]] = []
        with Buttons(
            {"save": SAVE, "undo": UNDO},
            lambda name: pressed.append((name, threading.get_ident())),
            loop=asyncio.get_running_loop(),
        ):
            press(UNDO)
            press(SAVE)
            await until(lambda: len(pressed) >= 2)
        assert pressed == [("undo", threading.get_ident()), ("save", threading.get_ident())]

    run(test())


def test_after_close_no_press_is_reported() -> None:
    async def test() -> None:
        pressed: list[str] = []
        buttons = Buttons({"save": SAVE}, pressed.append, loop=asyncio.get_running_loop())
        press(SAVE)
        buttons.close()
        buttons.close()
        await turns()
        assert pressed == []

    run(test())


def test_pin_that_cannot_be_opened_leaves_no_other_open() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(DeviceError):
            Buttons({"save": SAVE, "undo": SAVE}, lambda _name: None, loop=loop)
        Buttons({"save": SAVE}, lambda _name: None, loop=loop).close()

    run(test())

"""Scanners and buttons of all stations, opened and closed together."""

from collections.abc import Iterator

import pytest

from agent.config.settings import NoIndicatorSettings, SerialSettings, StationSettings
from agent.contract.printed_codes import Verb, command_text
from agent.daemon.intake import Intake
from agent.daemon.station_devices import open_devices
from agent.drivers import buttons
from agent.drivers.scanners.fake_scanner import FakeScanner
from agent.errors import DeviceError
from agent.runtime.event_loop import EventLoop


@pytest.fixture
def device_loop() -> Iterator[EventLoop]:
    loop = EventLoop()
    yield loop
    loop.close()


def station(name: str, *scanners: str, **pins: int) -> StationSettings:
    return StationSettings(
        id=name,
        scanners=tuple(
            SerialSettings(name=scanner, driver="serial", port=f"/dev/no-such-{scanner}") for scanner in scanners
        ),
        indicator=NoIndicatorSettings(),
        buttons=pins,
    )


def test_every_scanner_is_read_into_the_intake_and_closed_at_the_end(device_loop: EventLoop) -> None:
    intake = Intake()
    changes: list[None] = []
    fake = FakeScanner(name="typed")
    with open_devices(
        [station("1", "left", "right"), station("2", "only")],
        more={"2": [fake]},
        device_loop=device_loop,
        intake=intake,
        on_change=lambda: changes.append(None),
    ) as scanners:
        assert [(one.station, one.driver, one.scanner.name, one.scanner.connected) for one in scanners] == [
            ("1", "serial", "left", False),
            ("1", "serial", "right", False),
            ("2", "serial", "only", False),
            ("2", "fake", "typed", True),
        ]
        assert len(changes) == 4
        fake.scan("SO-1")
        found = intake.next()
        assert found is not None
        assert (found[0], found[1], found[2].data) == ("2", "typed", b"SO-1")
        fake.unplug()
        assert len(changes) == 5
    assert all(one.scanner.detail == "closed" for one in scanners)


def test_a_press_is_a_scan_of_the_command_barcode(device_loop: EventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """`settings.md#buttons`"""
    pressed = {}

    class Button:
        def __init__(self, pin: int, when_pressed: object, **_: object) -> None:
            pressed[pin] = when_pressed

        def close(self) -> None:
            del pressed[self.pin]

        pin = 23

    monkeypatch.setattr(buttons, "open_button", Button)
    intake = Intake()
    with open_devices(
        [station("1", "left", save=23)], more={}, device_loop=device_loop, intake=intake, on_change=lambda: None
    ):
        pressed[23]()  # type: ignore[operator]
        device_loop.acquire()
        device_loop.run_once(0.0)
        device_loop.release()
        found = intake.next()
        assert found is not None
        assert (found[0], found[1], found[2].data) == ("1", "buttons", command_text(Verb.SAVE).encode())
    assert pressed == {}


def test_a_button_that_cannot_be_opened_closes_the_scanners(
    device_loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`faults.md#gpio-failure`"""

    def in_use(*_: object, **__: object) -> None:
        raise DeviceError("GPIO pin 23: in use")

    monkeypatch.setattr(buttons, "open_button", in_use)
    fake = FakeScanner(name="typed")
    devices = open_devices(
        [station("1", save=23)], more={"1": [fake]}, device_loop=device_loop, intake=Intake(), on_change=lambda: None
    )
    with pytest.raises(DeviceError, match="in use"), devices:
        pass
    assert fake.detail == "closed"

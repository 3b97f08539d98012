"""Settings become the objects they describe."""

from pathlib import Path

import pytest

from agent.config.settings import (
    ConsoleSettings,
    EvdevSettings,
    GpioSettings,
    IndicatorSettings,
    JsonlSettings,
    MqttSettings,
    NoIndicatorSettings,
    SerialSettings,
    UplinkSettings,
    WorkflowSettings,
)
from agent.contract.manifest import Role
from agent.daemon.wiring import broker_of, delivery_of, indicator_of, rules_of, scanner_of
from agent.drivers.indicators.console import ConsoleIndicator
from agent.drivers.indicators.gpio import GpioIndicator
from agent.drivers.indicators.indicator import Indicator, NullIndicator
from agent.drivers.indicators.jsonl import JsonlIndicator
from agent.drivers.scanners.evdev import EvdevScanner
from agent.drivers.scanners.serial import SerialScanner
from agent.errors import DeviceError
from agent.uplink.uplink_settings import BrokerSettings, Confirm, DeliverySettings


def test_scanners() -> None:
    serial = scanner_of(SerialSettings(name="left", driver="serial", port="/dev/ttyACM0"))
    assert isinstance(serial, SerialScanner)
    assert serial.name == "left"
    keyboard = scanner_of(EvdevSettings(name="right", driver="evdev", usb_port="usb-1.4", layout="de"))
    assert isinstance(keyboard, EvdevScanner)
    assert keyboard.name == "right"


def test_how_a_scanner_writes_what_it_has_read() -> None:
    """`settings.md#encoding-gs-and-no-read-texts`"""
    serial = scanner_of(
        SerialSettings(
            name="left", driver="serial", port="/dev/ttyACM0", encoding="latin-1", gs="|", no_read=("bad", "Größe")
        )
    )
    (frame,) = serial._framer.feed(b"\xe9|\r", 1.0)
    assert (frame.data, frame.no_read) == ("é\x1d".encode(), frozenset({"BAD", "grösse"}))
    keyboard = scanner_of(EvdevSettings(name="right", driver="evdev", usb_port="u", encoding="latin-1", gs="KEY_DOWN"))
    assert isinstance(keyboard, EvdevScanner)
    assert keyboard._keyboard.press(108, 1) == b"\x1d"
    (frame,) = keyboard._framer.feed(b"KEY_DOWN\xff\r", 1.0)
    assert frame.data == b"KEY_DOWN\xff"


def test_indicators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    jsonl = JsonlSettings.model_validate({"driver": "jsonl", "path": str(tmp_path / "signals")})
    cases: list[tuple[IndicatorSettings, type[Indicator]]] = [
        (NoIndicatorSettings(), NullIndicator),
        (ConsoleSettings(driver="console"), ConsoleIndicator),
        (jsonl, JsonlIndicator),
        (GpioSettings(driver="gpio", red=17, green=27, blue=22, buzzer=18), GpioIndicator),
    ]
    for settings, kind in cases:
        with indicator_of("1", settings) as indicator:
            assert isinstance(indicator, kind)


def test_an_indicator_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """`faults.md#gpio-failure`"""
    path = str(tmp_path / "no" / "such" / "folder")
    with pytest.raises(DeviceError):
        indicator_of("1", JsonlSettings.model_validate({"driver": "jsonl", "path": path}))


def test_the_broker() -> None:
    """`settings.md#broker`"""
    settings = MqttSettings(hosts=("a:1", "[::1]"), port=8884, protocol=311, username="u", tls=False, keepalive_s=7)
    assert broker_of(settings.with_password("secret")) == BrokerSettings(
        hosts=(("a", 1), ("::1", 8884)), protocol=311, username="u", password="secret", tls=False, keepalive_s=7
    )
    assert broker_of(MqttSettings(host="h")) == BrokerSettings(hosts=(("h", 8883),))


def test_delivery() -> None:
    """`settings.md#uplink`"""
    assert delivery_of(UplinkSettings()) == DeliverySettings(
        confirm=Confirm.CONSUMER, max_inflight=100, ack_timeout_s=60
    )
    assert delivery_of(UplinkSettings(confirm="broker", max_inflight=3, ack_timeout_s=5)) == DeliverySettings(
        confirm=Confirm.BROKER, max_inflight=3, ack_timeout_s=5
    )


def test_the_rules_of_the_workflow() -> None:
    """`settings.md#workflow-rules`"""
    rules = rules_of(
        WorkflowSettings(required_roles=(Role.PACKING,), packer_confirms=False, idle_sign_out_s=60, bounce_ms=250)
    )
    assert (rules.required_roles, rules.packer_confirms) == ((Role.PACKING,), False)
    assert (rules.idle_sign_out_s, rules.bounce_s) == (60.0, 0.25)

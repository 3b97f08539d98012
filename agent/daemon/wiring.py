"""Make the objects that the settings describe: scanners, indicators, the broker, the workflow's rules.

A driver is imported only if a setting asks for it.
"""

from functools import partial
from typing import TYPE_CHECKING

from agent.config.key_names import GS_KEYS
from agent.config.rules import reread_password
from agent.config.settings import (
    ConsoleSettings,
    EvdevSettings,
    GpioSettings,
    IndicatorSettings,
    JsonlSettings,
    MqttSettings,
    NoIndicatorSettings,
    ScannerSettings,
    SerialSettings,
    UplinkSettings,
    WorkflowSettings,
)
from agent.contract.manifest import same_case
from agent.drivers.indicators.indicator import Indicator
from agent.drivers.scanners.framing import TextSettings
from agent.drivers.scanners.scanner import Scanner
from agent.uplink.uplink_settings import BrokerSettings, Confirm, DeliverySettings
from agent.workflow.context import WorkflowRules

if TYPE_CHECKING:
    from agent.drivers.scanners.evdev import KeyboardMatch

__all__ = ["broker_of", "delivery_of", "indicator_of", "keyboard_of", "rules_of", "scanner_of"]


def scanner_of(settings: ScannerSettings) -> Scanner:
    """Make the scanner; it is not started, and its device need not be there."""
    if isinstance(settings, SerialSettings):
        from agent.drivers.scanners.serial import SerialScanner

        return SerialScanner(
            name=settings.name,
            port=settings.port,
            baud=settings.baud,
            terminator=settings.terminator.encode(),
            text=_text_of(settings),
        )
    from agent.drivers.scanners.evdev import EvdevScanner

    return EvdevScanner(
        name=settings.name,
        match=keyboard_of(settings),
        layout=settings.layout,
        terminator=settings.terminator.encode(),
        text=_text_of(settings),
        gs_key=GS_KEYS.get(settings.gs or ""),
    )


def keyboard_of(settings: EvdevSettings) -> "KeyboardMatch":
    """Return how to find the scanner among the keyboards."""
    from agent.drivers.scanners.evdev import KeyboardMatch

    return KeyboardMatch(
        device=settings.device,
        vendor=settings.vendor,
        product=settings.product,
        serial=settings.serial,
        usb_port=settings.usb_port,
    )


def _text_of(settings: ScannerSettings) -> TextSettings:
    is_key = settings.gs in GS_KEYS
    return TextSettings(
        encoding=settings.encoding if isinstance(settings, SerialSettings) else "utf-8",
        gs=b"" if settings.gs is None or is_key else settings.gs.encode(),
        no_read=frozenset(same_case(text) for text in settings.no_read),
    )


def indicator_of(station: str, settings: IndicatorSettings) -> Indicator:
    """Open a station's indicator. Raises DeviceError if its device cannot be used (`faults.md#gpio-failure`)."""
    match settings:
        case GpioSettings():
            from agent.drivers.indicators.gpio import GpioIndicator

            return GpioIndicator(
                red=settings.red,
                green=settings.green,
                blue=settings.blue,
                buzzer=settings.buzzer,
                bar=settings.bar,
            )
        case ConsoleSettings():
            from agent.drivers.indicators.console import ConsoleIndicator

            return ConsoleIndicator(station=station)
        case JsonlSettings():
            from agent.drivers.indicators.jsonl import JsonlIndicator

            return JsonlIndicator(station=station, path=str(settings.path))
        case NoIndicatorSettings():
            from agent.drivers.indicators.indicator import NullIndicator

            return NullIndicator()


def broker_of(settings: MqttSettings) -> BrokerSettings:
    return BrokerSettings(
        hosts=settings.addresses,
        protocol=settings.protocol,
        username=settings.username,
        password=None if settings.password is None else settings.password.get_secret_value(),
        read_password=None if settings.secret_file is None else partial(reread_password, settings.secret_file),
        tls=settings.tls,
        ca_file=settings.ca_file,
        cert_file=settings.cert_file,
        key_file=settings.key_file,
        keepalive_s=settings.keepalive_s,
    )


def delivery_of(settings: UplinkSettings) -> DeliverySettings:
    return DeliverySettings(
        confirm=Confirm(settings.confirm),
        max_inflight=settings.max_inflight,
        ack_timeout_s=settings.ack_timeout_s,
    )


def rules_of(settings: WorkflowSettings) -> WorkflowRules:
    return WorkflowRules(
        required_roles=settings.required_roles,
        packer_confirms=settings.packer_confirms,
        idle_sign_out_s=float(settings.idle_sign_out_s),
        bounce_s=settings.bounce_ms / 1000,
    )

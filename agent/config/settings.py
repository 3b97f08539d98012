"""The settings of a kiosk, as frozen types: names, defaults and ranges of every key of the configuration file.

The description of a field completes "expected …" in the line that refuses its value. Rules that span several keys,
and the reading of the file, are `agent.config`'s.
"""

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
)

from agent.contract.manifest import Role

__all__ = [
    "BUTTON_WORDS",
    "Config",
    "ConsoleSettings",
    "EvdevSettings",
    "GpioSettings",
    "IndicatorSettings",
    "JsonlSettings",
    "KioskSettings",
    "MqttSettings",
    "NoIndicatorSettings",
    "ScannerSettings",
    "SerialSettings",
    "Settings",
    "StationIdentity",
    "StationSettings",
    "UplinkSettings",
    "WorkflowSettings",
    "host_and_port",
    "usb_number",
]

_ADDRESS = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::(?P<port>\d{1,5}))?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USB_NUMBER = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{1,4}")


# -- values ------------------------------------------------------------------------------------------------------


def host_and_port(text: str, default_port: int) -> tuple[str, int]:
    """The parts of `host`, `host:port`, `[IPv6]` or `[IPv6]:port`; ValueError if `text` is none of these."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError("not a host")
    if match["ipv6"] is not None:
        _check_ipv6(match["ipv6"])
    port = default_port if match["port"] is None else int(match["port"])
    if not 1 <= port <= 65535:
        raise ValueError("not a port")
    return match["ipv6"] or match["name"], port


def _check_ipv6(text: str) -> None:
    try:
        socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except OSError as exc:
        raise ValueError("not an IPv6 address") from exc


def _host(text: str) -> str:
    """A host alone; an IPv6 address may stand with or without brackets."""
    if text.count(":") > 1 and not text.startswith("["):
        _check_ipv6(text)
        return text
    host, port = host_and_port(text, 1)
    if text not in (host, f"[{host}]"):
        raise ValueError(f"port {port} does not belong here")
    return host


def _broker(text: str) -> str:
    host_and_port(text, 1)
    return text


def _path(value: object, info: ValidationInfo) -> object:
    """A relative path counts from the folder of the configuration file, which is the validation's context."""
    if not isinstance(value, str) or not value or _CONTROL.search(value):
        raise ValueError("not a path")
    return Path(info.context or ".") / value


def usb_number(value: object) -> object:
    """A USB vendor or product number as a number, where it is text as lsusb writes it; else as it is."""
    if isinstance(value, str) and _USB_NUMBER.fullmatch(value):
        return int(value, 16)
    return value


def _distinct_roles(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    if len(set(roles)) != len(roles):
        raise ValueError("named twice")
    return roles


_ID_TEXT = "1 to 64 letters, digits, - and _"
_PIN_TEXT = "a BCM pin number from 0 to 27"
_FILE_TEXT = "the path of a file"
_DEVICE_TEXT = "an absolute path under which the device appears"
_USB_TEXT = 'four hex digits as lsusb shows them, such as "0c2e"'

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description=_ID_TEXT)]
Located = Annotated[Path, Field(description=_FILE_TEXT), BeforeValidator(_path)]
DevicePath = Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]+$", max_length=4096, description=_DEVICE_TEXT)]
Pin = Annotated[int, Field(ge=0, le=27, description=_PIN_TEXT)]
UsbNumber = Annotated[int, Field(ge=0, le=0xFFFF, description=_USB_TEXT), BeforeValidator(usb_number)]
Text = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]{1,256}$", description="1 to 256 characters, none of them a control character"),
]
Terminator = Annotated[Literal["\r", "\n", "\r\n", "\t"], Field(description=r'"\r", "\n", "\r\n" or "\t"')]
Flag = Annotated[bool, Field(description="true or false")]


class Settings(BaseModel):
    """Base of all tables: immutable, strict (no text is taken for a number), no key unknown; built when first used."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True, hide_input_in_errors=True)


# -- the kiosk's tables ------------------------------------------------------------------------------------------


class KioskSettings(Settings):
    site: Id
    id: Id
    state_dir: Annotated[Located, Field(description="the path of a folder")]


class MqttSettings(Settings):
    """Exactly one of `host` and `hosts` is set. TLS verifies the server, always."""

    host: Annotated[str, AfterValidator(_host), Field(description="a host name or address without a port")] | None = (
        None
    )
    hosts: (
        Annotated[
            tuple[Annotated[str, AfterValidator(_broker)], ...],
            Field(strict=False, min_length=1, description='a list of "host:port", IPv6 addresses in brackets'),
        ]
        | None
    ) = None
    port: Annotated[int, Field(ge=1, le=65535, description="a port from 1 to 65535")] = 8883
    protocol: Annotated[Literal[5, 311], Field(description="5 or 311")] = 5
    username: Text | None = None
    password_file: Located | None = None
    tls: Flag = True
    ca_file: Located | None = None
    cert_file: Located | None = None
    key_file: Located | None = None
    keepalive_s: Annotated[int, Field(ge=1, le=3600, description="seconds, a whole number from 1 to 3600")] = 30

    _password: SecretStr | None = PrivateAttr(default=None)

    @property
    def password(self) -> SecretStr | None:
        """From `password_file` or systemd's credential; in no dump, hash or repr."""
        return self._password

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """The brokers to try in turn, (host, port)."""
        if self.hosts is None:
            return () if self.host is None else ((self.host, self.port),)
        return tuple(host_and_port(one, self.port) for one in self.hosts)

    def with_password(self, password: str | None) -> "MqttSettings":
        copy = self.model_copy()
        copy._password = None if password is None else SecretStr(password)
        return copy


class UplinkSettings(Settings):
    confirm: Annotated[Literal["consumer", "broker"], Field(description='"consumer" or "broker"')] = "consumer"
    max_inflight: Annotated[int, Field(ge=1, le=65535, description="a whole number from 1 to 65535")] = 100
    ack_timeout_s: Annotated[int, Field(ge=1, le=86400, description="seconds, a whole number from 1 to 86400")] = 60
    keep_days: Annotated[int, Field(ge=0, le=3650, description="days, a whole number from 0 to 3650")] = 14
    reserve_mb: Annotated[int, Field(ge=0, le=65536, description="megabytes, a whole number from 0 to 65536")] = 16


class WorkflowSettings(Settings):
    required_roles: Annotated[
        tuple[Annotated[Role, Field(strict=False)], ...],
        Field(strict=False, description='a list of "picking", "packing", "shipping", each once at most'),
        AfterValidator(_distinct_roles),
    ] = (Role.PICKING, Role.PACKING, Role.SHIPPING)
    packer_confirms: Flag = True
    idle_sign_out_s: Annotated[int, Field(ge=1, le=86400, description="seconds, a whole number from 1 to 86400")] = 600
    bounce_ms: Annotated[int, Field(ge=0, le=5000, description="milliseconds, a whole number from 0 to 5000")] = 500


# -- a station's tables ------------------------------------------------------------------------------------------


class SerialSettings(Settings):
    name: Id
    driver: Literal["serial"]
    port: DevicePath
    baud: Annotated[int, Field(ge=50, le=4_000_000, description="bits per second, from 50 to 4000000")] = 9600
    terminator: Terminator = "\r"


class EvdevSettings(Settings):
    """Exactly one of `device`, `vendor` with `product` (and `serial`), and `usb_port` tells which keyboard it is.

    The terminator is a key: Tab, or Enter for every kind of line end.
    """

    name: Id
    driver: Literal["evdev"]
    device: DevicePath | None = None
    vendor: UsbNumber | None = None
    product: UsbNumber | None = None
    serial: Text | None = None
    usb_port: Annotated[Text, Field(description="the USB port as `kiosk-agent scanners` shows it")] | None = None
    layout: Annotated[Literal["us", "de", "fr", "uk"], Field(description='"us", "de", "fr" or "uk"')] = "us"
    terminator: Terminator = "\r"


class GpioSettings(Settings):
    """An RGB light and an active buzzer on GPIO pins; `bar` is the LED bar, its first LED first."""

    driver: Literal["gpio"]
    red: Pin
    green: Pin
    blue: Pin
    buzzer: Pin
    bar: Annotated[tuple[Pin, ...], Field(strict=False, description="a list of BCM pin numbers from 0 to 27")] = ()


class ConsoleSettings(Settings):
    driver: Literal["console"]


class JsonlSettings(Settings):
    driver: Literal["jsonl"]
    path: Annotated[Located, Field(description="the path of a file or FIFO")]


class NoIndicatorSettings(Settings):
    driver: Literal["none"] = "none"


class StationIdentity(Settings):
    id: Id


class ButtonSettings(Settings):
    """Which pin each push-button is on; the words are the commands that take no argument."""

    save: Pin | None = None
    pack: Pin | None = None
    confirm: Pin | None = None
    undo: Pin | None = None
    remove: Pin | None = None
    cancel: Pin | None = None
    close: Pin | None = None
    out: Pin | None = None
    repeat: Pin | None = None
    where: Pin | None = None


ScannerSettings = SerialSettings | EvdevSettings
IndicatorSettings = GpioSettings | ConsoleSettings | JsonlSettings | NoIndicatorSettings

BUTTON_WORDS = tuple(ButtonSettings.model_fields)


# -- the whole ---------------------------------------------------------------------------------------------------


class StationSettings(Struct, frozen=True, kw_only=True):
    """One bench. `buttons` maps command words (`BUTTON_WORDS`) to BCM pins."""

    id: str
    scanners: tuple[ScannerSettings, ...]
    indicator: IndicatorSettings
    buttons: Mapping[str, int]


class Config(Struct, frozen=True, kw_only=True):
    """A configuration that exists is valid as a whole."""

    kiosk: KioskSettings
    mqtt: MqttSettings
    uplink: UplinkSettings
    workflow: WorkflowSettings
    stations: tuple[StationSettings, ...]

"""The settings of a kiosk: name, default, range and meaning of every key of the configuration file.

A field's `description` completes "expected …" in the message that refuses its value. The docstring under the field says
what the setting means; `settings.md#all-settings` is generated from both. `agent.config.rules` has the rules that span
several keys.
"""

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

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
from pydantic.fields import FieldInfo

from agent.config.key_names import GS_KEYS
from agent.contract.manifest import Role

__all__ = [
    "BUTTON_WORDS",
    "Config",
    "ConfigTable",
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
    "StationIdentity",
    "StationSettings",
    "UplinkSettings",
    "WorkflowSettings",
    "expected_in",
    "host_and_port",
    "usb_number",
]

_ADDRESS = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::(?P<port>\d{1,5}))?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USB_NUMBER = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{1,4}")
_GS_TEXT = re.compile(r"[^\x00\r\n]{1,16}")
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+")


# -- values ------------------------------------------------------------------------------------------------------


def host_and_port(text: str, default_port: int) -> tuple[str, int]:
    """Split `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. Raises ValueError if `text` is none of these."""
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
    """Check that this is a host without a port. An IPv6 address may have brackets."""
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
    """Resolve a relative path against the folder of the configuration file, which is the context of the validation."""
    if not isinstance(value, str) or not value or _CONTROL.search(value):
        raise ValueError("not a path")
    return Path(info.context or ".") / value


def usb_number(value: object) -> object:
    """Convert a USB vendor or product number from text as lsusb writes it. Return any other value as it is."""
    if isinstance(value, str) and _USB_NUMBER.fullmatch(value):
        return int(value, 16)
    return value


def _distinct_roles(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    if len(set(roles)) != len(roles):
        raise ValueError("named twice")
    return roles


def _gs_text(text: str) -> str:
    if text.startswith("KEY_") or not _GS_TEXT.fullmatch(text) or _ALPHANUMERIC.fullmatch(text):
        raise ValueError("not the text for GS")
    return text


def _gs_text_or_key(text: str) -> str:
    if text.startswith("KEY_"):
        if text not in GS_KEYS:
            raise ValueError("not a key")
        return text
    return _gs_text(text)


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
Encoding = Annotated[Literal["utf-8", "latin-1"], Field(description='"utf-8" or "latin-1"')]
_GS_EXPECTED = "1 to 16 characters, not all of them letters and digits, no line end"
GsText = Annotated[str, AfterValidator(_gs_text), Field(description=_GS_EXPECTED)]
GsTextOrKey = Annotated[
    str,
    AfterValidator(_gs_text_or_key),
    Field(description=f'the name of a key, such as "KEY_DOWN" or "KEY_F8", or {_GS_EXPECTED}'),
]
NoRead = Annotated[
    tuple[Text, ...],
    Field(strict=False, max_length=100, description="a list of at most 100 texts, each of 1 to 256 characters"),
]
_NO_READ = ("NOREAD", "NO READ", "ERROR", "NR")
Flag = Annotated[bool, Field(description="true or false")]


class ConfigTable(BaseModel):
    """Base of all tables: immutable; strict, so that text is not taken for a number; unknown keys are refused.

    Its validator is built when it is first used.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True, hide_input_in_errors=True)


def expected_in(field: FieldInfo) -> str:
    """Return what a field expects, to complete "expected …": its description, or that of its type if it may be None.

    A type can have several descriptions; the outermost one, which comes last, is the most exact.
    """
    if field.description:
        return field.description
    for choice in get_args(field.annotation):
        for extra in reversed(getattr(choice, "__metadata__", ())):
            if isinstance(extra, FieldInfo) and extra.description:
                return extra.description
    raise LookupError(f"{field!r} does not say what is expected")


# -- tables of the whole kiosk -----------------------------------------------------------------------------------


class KioskSettings(ConfigTable):
    """`settings.md#kiosk`"""

    site: Id
    """The site that the kiosk belongs to; part of its topics and of the source of its events."""
    id: Id
    """The name of the kiosk in its site."""
    state_dir: Annotated[Located, Field(description="the path of a folder")]
    """The folder of the journal and the cache."""


class MqttSettings(ConfigTable):
    """`settings.md#broker`: exactly one of `host` and `hosts` is set."""

    host: Annotated[str, AfterValidator(_host), Field(description="a host name or address without a port")] | None = (
        None
    )
    """The broker; either this or `hosts` is required."""
    hosts: (
        Annotated[
            tuple[Annotated[str, AfterValidator(_broker)], ...],
            Field(strict=False, min_length=1, description='a list of "host:port", IPv6 addresses in brackets'),
        ]
        | None
    ) = None
    """Several brokers, which are tried in turn."""
    port: Annotated[int, Field(ge=1, le=65535, description="a port from 1 to 65535")] = 8883
    """The broker's port; for `hosts`, of those that name none."""
    protocol: Annotated[Literal[5, 311], Field(description="5 or 311")] = 5
    """The version of MQTT: 5, or 311 for 3.1.1."""
    username: Text | None = None
    """The kiosk's account at the broker."""
    password_file: Located | None = None
    """The file with the account's password; without it, systemd's credential `mqtt-password`, if there is one.
    It is read again before each connect (`settings.md#renewed-secrets`)."""
    tls: Flag = True
    """Whether the connection is encrypted; the server's certificate is then always verified."""
    ca_file: Located | None = None
    """The certificates that may sign the server's; without it, those of the system."""
    cert_file: Located | None = None
    """The kiosk's own certificate, for brokers that ask for one; it needs `key_file`."""
    key_file: Located | None = None
    """The private key of `cert_file`."""
    keepalive_s: Annotated[int, Field(ge=1, le=3600, description="seconds, a whole number from 1 to 3600")] = 30
    """After this long without traffic, the connection is tested."""

    _password: SecretStr | None = PrivateAttr(default=None)
    _secret_file: Path | None = PrivateAttr(default=None)

    @property
    def password(self) -> SecretStr | None:
        """The password, from `password_file` or the credential. It is in no dump, hash or repr."""
        return self._password

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """The brokers to try in turn, as (host, port)."""
        if self.hosts is None:
            return () if self.host is None else ((self.host, self.port),)
        return tuple(host_and_port(one, self.port) for one in self.hosts)

    @property
    def secret_file(self) -> Path | None:
        """Where the password was read: `password_file` or the file of the credential."""
        return self._secret_file

    def with_password(self, password: str | None, file: Path | None = None) -> "MqttSettings":
        """Return a copy with this password, read from `file`."""
        copy = self.model_copy()
        copy._password = None if password is None else SecretStr(password)
        copy._secret_file = file
        return copy


class UplinkSettings(ConfigTable):
    """`settings.md#uplink`"""

    confirm: Annotated[Literal["consumer", "broker"], Field(description='"consumer" or "broker"')] = "consumer"
    """Who says that an event is delivered (`mqtt.md#acknowledgement`, `mqtt.md#broker-confirmation`)."""
    max_inflight: Annotated[int, Field(ge=1, le=65535, description="a whole number from 1 to 65535")] = 100
    """How many events may be published and not yet answered by the broker; the broker may allow fewer."""
    ack_timeout_s: Annotated[int, Field(ge=1, le=86400, description="seconds, a whole number from 1 to 86400")] = 60
    """After this long without the consumer's acknowledgement, events are sent again."""
    keep_days: Annotated[int, Field(ge=0, le=3650, description="days, a whole number from 0 to 3650")] = 14
    """How long delivered events are kept (`mqtt.md#pruning`)."""
    reserve_mb: Annotated[int, Field(ge=0, le=65536, description="megabytes, a whole number from 0 to 65536")] = 16
    """How much disk space is kept free (`mqtt.md#disk-reserve`)."""


class WorkflowSettings(ConfigTable):
    """`settings.md#workflow-rules`"""

    required_roles: Annotated[
        tuple[Annotated[Role, Field(strict=False)], ...],
        Field(strict=False, description='a list of "picking", "packing", "shipping", each once at most'),
        AfterValidator(_distinct_roles),
    ] = (Role.PICKING, Role.PACKING, Role.SHIPPING)
    """The roles that must be assigned before anything is counted (`workflow.md#required-roles`)."""
    packer_confirms: Flag = True
    """Whether only the operator assigned to packing may confirm it (`workflow.md#confirm-packing`)."""
    idle_sign_out_s: Annotated[int, Field(ge=1, le=86400, description="seconds, a whole number from 1 to 86400")] = 600
    """After this long without a scan, the operator is signed out (`workflow.md#sign-out`)."""
    bounce_ms: Annotated[int, Field(ge=0, le=5000, description="milliseconds, a whole number from 0 to 5000")] = 500
    """Within this time, the same code from the same scanner is a bounce; 0 switches that off (`scanning.md#bounce`)."""
    max_orders: Annotated[int, Field(ge=1, le=100_000, description="a whole number from 1 to 100000")] = 5000
    """How many orders are cached at most; `health` says how many are not (`mqtt.md#bounded-memory`)."""


# -- tables of a station -----------------------------------------------------------------------------------------


class SerialSettings(ConfigTable):
    """`settings.md#serial-scanner`"""

    name: Id
    """The scanner's name at its station; it is in every event."""
    driver: Literal["serial"]
    """The kind of device."""
    port: DevicePath
    """The character device."""
    baud: Annotated[int, Field(ge=50, le=4_000_000, description="bits per second, from 50 to 4000000")] = 9600
    """The speed of the line, with 8 data bits and no parity. USB devices ignore it."""
    terminator: Terminator = "\r"
    """What ends a scan."""
    encoding: Encoding = "utf-8"
    """How the scanner encodes text."""
    gs: GsText | None = None
    """What the scanner sends for GS (0x1D), if anything else (`scanning.md#what-stands-for-gs`)."""
    no_read: NoRead = _NO_READ
    """What the scanner sends when it has read nothing (`scanning.md#no-read-texts`)."""


class EvdevSettings(ConfigTable):
    """`settings.md#keyboard-scanner`: exactly one of `device`, `vendor` with `product`, and `usb_port` is set.

    The terminator is a key: Tab, or Enter for every kind of line end.
    """

    name: Id
    """The scanner's name at its station; it is in every event."""
    driver: Literal["evdev"]
    """The kind of device."""
    device: DevicePath | None = None
    """The scanner's event node."""
    vendor: UsbNumber | None = None
    """The USB vendor number of the scanner; it needs `product`."""
    product: UsbNumber | None = None
    """The USB product number of the scanner; it needs `vendor`."""
    serial: Text | None = None
    """The USB serial number, to tell scanners of one model apart."""
    usb_port: Annotated[Text, Field(description="the USB port as `kiosk-agent scanners` shows it")] | None = None
    """The USB port that the scanner is plugged into."""
    layout: Annotated[Literal["us", "de", "fr", "uk"], Field(description='"us", "de", "fr" or "uk"')] = "us"
    """The country that the scanner is set to."""
    terminator: Terminator = "\r"
    """What ends a scan."""
    encoding: Encoding = "utf-8"
    """How the scanner encodes text. A key types a character whatever this is, so it is of no effect."""
    gs: GsTextOrKey | None = None
    """What the scanner sends for GS (0x1D), if anything else (`scanning.md#what-stands-for-gs`)."""
    no_read: NoRead = _NO_READ
    """What the scanner sends when it has read nothing (`scanning.md#no-read-texts`)."""


class GpioSettings(ConfigTable):
    """`settings.md#indicator`: an RGB light, a buzzer and an LED bar on GPIO pins."""

    driver: Literal["gpio"]
    """How signals are shown."""
    red: Pin
    """The pin of the red light; high is on."""
    green: Pin
    """The pin of the green light."""
    blue: Pin
    """The pin of the blue light."""
    buzzer: Pin
    """The pin of the buzzer, which sounds by itself while the pin is high."""
    bar: Annotated[tuple[Pin, ...], Field(strict=False, description="a list of BCM pin numbers from 0 to 27")] = ()
    """The pins of the LED bar, its first LED first."""


class ConsoleSettings(ConfigTable):
    """`settings.md#indicator`: text on standard output."""

    driver: Literal["console"]
    """How signals are shown."""


class JsonlSettings(ConfigTable):
    """`settings.md#indicator`: lines of JSON."""

    driver: Literal["jsonl"]
    """How signals are shown."""
    path: Annotated[Located, Field(description="the path of a file or FIFO")]
    """Where the lines are written."""


class NoIndicatorSettings(ConfigTable):
    """`settings.md#indicator`: nothing."""

    driver: Literal["none"] = "none"
    """How signals are shown."""


class StationIdentity(ConfigTable):
    """The keys of a station that are no tables."""

    id: Id
    """The name of the station; it is in its topics and events."""


class ButtonSettings(ConfigTable):
    """`settings.md#buttons`: the pin of each push-button, by the command whose barcode it stands for."""

    save: Pin | None = None
    """The button that is the same as the barcode SAVE."""
    pack: Pin | None = None
    """PACK."""
    confirm: Pin | None = None
    """CONFIRM."""
    undo: Pin | None = None
    """UNDO."""
    remove: Pin | None = None
    """REMOVE."""
    cancel: Pin | None = None
    """CANCEL."""
    close: Pin | None = None
    """CLOSE."""
    out: Pin | None = None
    """OUT."""
    repeat: Pin | None = None
    """REPEAT."""
    where: Pin | None = None
    """WHERE."""


ScannerSettings = SerialSettings | EvdevSettings
IndicatorSettings = GpioSettings | ConsoleSettings | JsonlSettings | NoIndicatorSettings

BUTTON_WORDS = tuple(ButtonSettings.model_fields)


# -- the whole ---------------------------------------------------------------------------------------------------


class StationSettings(ConfigTable):
    """One bench. `buttons` maps command words (`BUTTON_WORDS`) to BCM pins."""

    id: str
    scanners: tuple[ScannerSettings, ...]
    indicator: IndicatorSettings
    buttons: Mapping[str, int]


class Config(ConfigTable):
    """The whole configuration. One that exists is valid as a whole."""

    kiosk: KioskSettings
    mqtt: MqttSettings
    uplink: UplinkSettings
    workflow: WorkflowSettings
    stations: tuple[StationSettings, ...]

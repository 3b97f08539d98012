"""The settings of a centre: name, default, range and meaning of every key of the configuration file.

A field's `description` completes "expected …" in the message that refuses its value. The docstring under the field says
what the setting means; `centre-settings.md` is generated from both. `settings_rules` has the rules that span several
keys. No secret is in any of these models: they name files, which are read where the secret is used (`secret_files`).
"""

import re
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from centre.configuration.settings_values import (
    DatabaseUrl,
    Days,
    FilePath,
    Flag,
    HostName,
    OwnAddress,
    Sites,
    Text,
    TimezoneName,
    WebAddress,
    distinct,
)

__all__ = [
    "CentreSettings",
    "DatabaseSettings",
    "GeneralSettings",
    "LateScanRule",
    "MqttBrokerSettings",
    "ResaleRule",
    "RuleSettings",
    "SettingsTable",
    "WebSettings",
    "WebhookEvent",
    "WebhookSettings",
]


class ResaleRule(StrEnum):
    """What happens to a unit that was packed before and is counted again."""

    ALLOW = "allow"
    NOTE = "note"
    HOLD = "hold"


class LateScanRule(StrEnum):
    """What happens to a unit that is scanned for an order that was already closed in the centre."""

    NOTE = "note"
    HOLD = "hold"


class WebhookEvent(StrEnum):
    """What a webhook can tell of."""

    ORDER_OPENED = "order.opened"
    ORDER_PACKED = "order.packed"
    ORDER_REOPENED = "order.reopened"
    ORDER_CANCELLED = "order.cancelled"
    BOX_CONFIRMED = "box.confirmed"
    CONFLICT_OPENED = "conflict.opened"
    CONFLICT_CLOSED = "conflict.closed"
    KIOSK_OFFLINE = "kiosk.offline"
    KIOSK_ONLINE = "kiosk.online"


_WEBHOOK_EVENTS = ", ".join(f'"{name}"' for name in WebhookEvent)


class SettingsTable(BaseModel):
    """Base of all tables: immutable; strict, so that text is not taken for a number; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


# -- tables ------------------------------------------------------------------------------------------------------


class GeneralSettings(SettingsTable):
    """`[centre]`"""

    sites: Sites = ("main",)
    """The sites that this centre serves. Orders and reference lists are published at these."""
    data_dir: Annotated[FilePath, Field(description="the path of a folder")] = Path("centre-data")
    """The folder of the SQLite database and the lock. Default: systemd's `$STATE_DIRECTORY`, else `./centre-data`."""
    kiosk_offline_s: Annotated[int, Field(ge=1, le=86_400, description="seconds, a whole number from 1 to 86400")] = 120
    """A kiosk whose `health` has not come for this long is shown as offline."""
    events_days: Days = 0
    """Documents of events older than this are deleted once their order is closed; 0 keeps them."""


class MqttBrokerSettings(SettingsTable):
    """`[[broker]]`: one of the brokers. The centre keeps a connection to each. Without any: 127.0.0.1:1883, no TLS."""

    host: HostName
    """The broker's name or address."""
    port: Annotated[int, Field(ge=1, le=65535, description="a port from 1 to 65535")] = 8883
    """The broker's port."""
    protocol: Annotated[Literal[5, 311], Field(description="5 or 311")] = 5
    """The version of MQTT: 5, or 311 for 3.1.1."""
    username: Text | None = None
    """The centre's account at the broker."""
    password_file: FilePath | None = None
    """The file with the account's password. It is read again before each connect."""
    tls: Flag = True
    """Whether the connection is encrypted; the server's certificate is then always verified."""
    ca_file: FilePath | None = None
    """The certificates that may sign the server's; without it, those of the system."""
    cert_file: FilePath | None = None
    """The centre's own certificate, for brokers that ask for one; it needs `key_file`."""
    key_file: FilePath | None = None
    """The private key of `cert_file`."""
    keepalive_s: Annotated[int, Field(ge=1, le=3600, description="seconds, a whole number from 1 to 3600")] = 30
    """After this long without traffic, the connection is tested."""
    sites: Sites | None = None
    """The sites that this broker serves; without it, all of `centre.sites`."""

    @property
    def name(self) -> str:
        """What the broker is called everywhere: `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class DatabaseSettings(SettingsTable):
    """`[database]`"""

    url: DatabaseUrl | None = Field(default=None, repr=False)
    """The database. Default: the SQLite file `centre.sqlite` in `data_dir`."""
    password_file: FilePath | None = None
    """The file with the password of the PostgreSQL account."""

    @property
    def shown_url(self) -> str:
        """The URL without a password, for people."""
        if self.url is None:
            return ""
        url = urlsplit(self.url)
        return url._replace(netloc=re.sub(r":[^@]*@", ":…@", url.netloc)).geturl()


class WebSettings(SettingsTable):
    """`[web]`: the board and the REST interface."""

    bind: OwnAddress = "127.0.0.1"
    """The address to listen on. One beyond loopback needs `tls_cert` and `tls_key`, or `behind_proxy`."""
    port: Annotated[int, Field(ge=0, le=65535, description="a port from 0 to 65535")] = 8080
    """The port to listen on; 0: any free one, which the log names."""
    tls_cert: FilePath | None = None
    """The server's certificate with its chain, PEM; it needs `tls_key`."""
    tls_key: FilePath | None = None
    """The private key of `tls_cert`."""
    behind_proxy: Flag = False
    """A reverse proxy terminates TLS: cookies are marked Secure, and `X-Forwarded-For` and `-Proto` are believed."""
    public_read: Flag = False
    """Whether the board's pages may be read without sign-in. REST never may; operators' names are left out."""
    public_metrics: Flag = False
    """Whether others than this machine may read `/metrics`."""
    timezone: TimezoneName = "UTC"
    """The time zone of the board's pages and prints."""
    per_operator: Flag = False
    """Whether `/throughput` also counts by operator."""

    @property
    def zone(self) -> tzinfo:
        """The time zone. UTC works without the system's time zone files."""
        return UTC if self.timezone == "UTC" else zoneinfo.ZoneInfo(self.timezone)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the board over TLS."""
        return self.behind_proxy or self.tls_cert is not None


class RuleSettings(SettingsTable):
    """`[rules]`: what the centre does where two truths meet."""

    resale: Annotated[ResaleRule, Field(strict=False, description='"allow", "note" or "hold"')] = ResaleRule.HOLD
    """What happens to a unit that was packed before and is counted again."""
    resale_days: Days = 7
    """For how many days after packing `resale` applies. A unit marked as returned may be sold again at once."""
    late_scan: Annotated[LateScanRule, Field(strict=False, description='"note" or "hold"')] = LateScanRule.HOLD
    """What happens to a unit that is scanned for an order that was already closed in the centre."""


class WebhookSettings(SettingsTable):
    """`[[webhook]]`: a receiver of what happens, as the Standard Webhooks specification says."""

    url: WebAddress
    """Where to post."""
    secret_file: FilePath
    """The file with the secret that signs each delivery: `whsec_` and 24 to 64 bytes in base64."""
    events: Annotated[
        tuple[Annotated[WebhookEvent, Field(strict=False)], ...],
        Field(strict=False, min_length=1, description=f"a list of {_WEBHOOK_EVENTS}, each once at most"),
        AfterValidator(distinct),
    ]
    """What to tell of."""
    insecure: Flag = False
    """true allows http, for a receiver on a trusted network."""


# -- the whole ---------------------------------------------------------------------------------------------------


class CentreSettings(SettingsTable):
    """The whole configuration. One that `settings_file.load` returns is valid as a whole."""

    general: GeneralSettings
    brokers: tuple[MqttBrokerSettings, ...]
    database: DatabaseSettings
    web: WebSettings
    rules: RuleSettings
    webhooks: tuple[WebhookSettings, ...]

    def sites_of(self, broker: MqttBrokerSettings) -> tuple[str, ...]:
        """Return the sites that a broker serves."""
        return self.general.sites if broker.sites is None else broker.sites

    def limited_to(self, sites: Sequence[str]) -> "CentreSettings":
        """Return the settings of a centre that works for these sites alone, over the brokers that serve them."""
        brokers = [
            broker.model_copy(update={"sites": served})
            for broker in self.brokers
            if (served := tuple(site for site in self.sites_of(broker) if site in sites))
        ]
        general = self.general.model_copy(update={"sites": tuple(sites)})
        return self.model_copy(update={"general": general, "brokers": tuple(brokers)})

    @property
    def database_url(self) -> str:
        """The URL of the database, the default included."""
        return self.database.url or f"sqlite:///{(self.general.data_dir / 'centre.sqlite').absolute()}"

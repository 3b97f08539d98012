"""The retained `health` message (`mqtt.md#health`): what an administrator needs to know about a kiosk from far away."""

from enum import StrEnum

from msgspec import Struct

from agent.contract.values import JournalId, SequenceText, UtcText

__all__ = ["CertificateExpiry", "DeviceReport", "JournalReport", "KioskHealth", "LastExit", "UplinkReport"]


class LastExit(StrEnum):
    """How the previous run of the daemon ended."""

    NONE = "none"
    """There was none: this is the first run on this state directory."""
    STOPPED = "stopped"
    """It was told to stop."""
    FAILED = "failed"
    """It ended with an error: a bug, a device missing at its start, a damaged journal."""
    KILLED = "killed"
    """It was killed, and the machine kept running."""
    POWER = "power"
    """The machine lost power or crashed."""


class DeviceReport(Struct, frozen=True, kw_only=True):
    """A scanner or an indicator."""

    station: str
    name: str
    """The scanner's configured name; `indicator` for an indicator."""
    driver: str
    connected: bool
    detail: str
    """Where the device was found, or what is wrong with it; may be empty."""


class CertificateExpiry(Struct, frozen=True, kw_only=True):
    """When the TLS certificates expire; null without TLS, or where a certificate cannot be read."""

    server: UtcText | None
    client: UtcText | None


class UplinkReport(Struct, frozen=True, kw_only=True):
    """The connection to the broker and the events that wait for it."""

    online: bool
    state: str
    """What the uplink is doing, in words."""
    host: str | None
    """The broker connected to, `host:port`."""
    error: str | None
    """The newest problem; null once it is over."""
    backlog: int
    """Events not yet delivered."""
    oldest_age_s: int | None
    """Age of the oldest undelivered event in seconds, by the wall clock; null if none waits."""
    last: SequenceText
    """The newest event of this journal."""
    acked: SequenceText
    """The newest event of this journal up to which all are delivered."""
    refused: int
    """Events that the broker refuses now."""
    refusals: int
    """Refusals by the broker since the start."""
    last_refusal: str | None
    """The newest refusal, in words."""
    refused_subscriptions: tuple[str, ...]
    """The topics that the broker would not let this kiosk subscribe to."""
    duplicate_id: bool
    """Whether another client seems to use this kiosk's client id (`mqtt.md#duplicate-client-id`)."""
    no_consumer: bool
    """Whether the broker says that nobody subscribes to the events (`mqtt.md#broker-confirmation`)."""
    journal_rolled_back: bool
    """Whether the journal turned out to be an old copy (`mqtt.md#rolled-back-journal`)."""
    certificate_expires: CertificateExpiry


class JournalReport(Struct, frozen=True, kw_only=True):
    """The journal and the disk under it. Null where the journal is not open, or the disk does not answer."""

    id: JournalId | None
    fault: str | None
    """Why scans get `fault` now; null if they do not."""
    commit_p50_ms: float | None
    """The median time of the latest commits, in milliseconds."""
    commit_p99_ms: float | None
    """The 99th percentile of the same."""
    free_bytes: int | None
    """Free disk space, in bytes."""
    time_to_full_s: int | None
    """Seconds until only the reserve is left, at the present rate; null if the disk is not filling."""
    dropped_tail_bytes: int | None
    """Size of the unfinished tail that the last start dropped, in bytes (`faults.md#unfinished-tail`)."""


class KioskHealth(Struct, frozen=True, kw_only=True):
    """The state of a kiosk as a whole. Every field is written; `null` means unknown or none."""

    time: UtcText
    """When this was written."""
    connection: int
    """The number of the connection that published it (`mqtt.md#connection-number`)."""
    scanners: tuple[DeviceReport, ...]
    indicator: tuple[DeviceReport, ...]
    """One for each station."""
    uplink: UplinkReport
    journal: JournalReport
    clock_synced: bool
    """Whether the wall clock is synchronised."""
    missing_manifests: tuple[str, ...]
    """Orders that the index names and that have not come; at most 100."""
    orders_not_cached: int
    """How many orders are not cached because there are `max_orders` already (`mqtt.md#bounded-memory`)."""
    config: str
    """A hash of the configuration file."""
    operators_revision: int | None
    """The revision of the operators list; null: none has come, nobody can sign in."""
    conflicts: tuple[str, ...]
    """Codes that mean two things and are refused as `ambiguous`, a line each (`scanning.md#ambiguous-codes`)."""
    errors: tuple[str, ...]
    """What else needs a person, a line each."""
    last_exit: LastExit
    restarts: int
    """Starts since the state directory was made, less one."""
    temperature_c: float | None
    """Of the processor, in degrees Celsius."""
    under_voltage: bool | None
    """Whether the power supply is, or was since the machine's start, too weak; null where that is unknown."""
    memory_bytes: int | None
    """Resident memory of the agent, in bytes."""
    uptime_s: int
    """Seconds since the agent started."""

"""`kiosk-centre check`: the configuration file, and what it describes, tried out."""

import asyncio
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from centre.centre_errors import CentreError
from centre.configuration.centre_settings import CentreSettings, MqttBrokerSettings
from centre.legible import legible
from centre.link.mqtt_link import MqttLink
from centre.link.received import Received
from centre.moments import utc_now
from centre.process.database_opening import connected_database, sqlite_file
from centre.store.migration import schema_of

__all__ = ["check"]

BROKER_S = 15.0


class Finding(NamedTuple):
    """One thing that was tried."""

    works: bool
    what: str
    outcome: str


def check(settings: CentreSettings, origin: str, out: TextIO, *, broker: bool, database: bool) -> int:
    """Write one line for each thing tried; return 0 if all of them work, else 1. `origin` names the file."""
    sites = ", ".join(settings.general.sites)
    _write(out, Finding(True, "configuration", f"{origin}: sites {sites}, data in {settings.general.data_dir}"))
    for note in _notes(settings):
        out.write(f"note    {legible(note)}\n")
    findings = list(_readable_secrets(settings))
    for finding in findings:
        _write(out, finding)
    if database:
        findings.append(_database(settings))
        _write(out, findings[-1])
    if broker:
        for one in settings.brokers:
            findings.append(asyncio.run(_broker(one, settings.sites_of(one))))
            _write(out, findings[-1])
    return 0 if all(finding.works for finding in findings) else 1


def _write(out: TextIO, finding: Finding) -> None:
    out.write(f"{'ok' if finding.works else 'failed':<6}  {legible(finding.what)}: {legible(finding.outcome)}\n")
    out.flush()


def _notes(settings: CentreSettings) -> Iterator[str]:
    for broker in settings.brokers:
        if not broker.tls and broker.host not in ("127.0.0.1", "::1", "localhost"):
            yield f"broker {broker.name}: tls = false: anybody on the network can read the password and all events"
    if settings.web.public_read:
        yield "web.public_read = true: whoever reaches the board can read its pages"


def _readable_secrets(settings: CentreSettings) -> Iterator[Finding]:
    """Yield a finding for each secret that every user of the machine can read."""
    for what, file in _secret_files(settings):
        if file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            yield Finding(False, what, f"every user of this machine can use {file}; run: chmod o-rwx {file}")


def _secret_files(settings: CentreSettings) -> Iterator[tuple[str, Path]]:
    for broker in settings.brokers:
        for key in ("password_file", "key_file"):
            if (file := getattr(broker, key)) is not None:
                yield f"broker {broker.name} {key}", file
    if settings.database.password_file is not None:
        yield "database password_file", settings.database.password_file
    if settings.web.tls_key is not None:
        yield "web tls_key", settings.web.tls_key
    for webhook in settings.webhooks:
        yield f"webhook {webhook.url} secret_file", webhook.secret_file


def _database(settings: CentreSettings) -> Finding:
    file = sqlite_file(settings)
    where = str(file) if file is not None else settings.database.shown_url
    if file is not None and not file.exists():
        return Finding(True, "database", f"{where} is not there yet; the first start makes it")
    try:
        with connected_database(settings, may_create=False) as database:
            found = schema_of(database)
    except CentreError as exc:
        return Finding(False, "database", f"{where}: {exc}")
    return Finding(True, "database", f"{where}: {f'schema {found}' if found else 'empty; the first start fills it'}")


async def _broker(broker: MqttBrokerSettings, sites: tuple[str, ...]) -> Finding:
    """Connect and subscribe, as the running centre does, under another client id."""
    connected = asyncio.Event()

    async def drop(_received: Received) -> None:
        """What comes is for the running centre."""

    async def note(_link: MqttLink) -> None:
        connected.set()
        await asyncio.Event().wait()

    link = MqttLink(
        broker,
        sites,
        client_id=f"centre-check-{secrets.token_hex(4)}",
        now=utc_now,
        on_message=drop,
        on_connect=note,
    )
    running = asyncio.create_task(link.run())
    waiting = asyncio.create_task(connected.wait())
    try:
        await asyncio.wait((running, waiting), timeout=BROKER_S, return_when=asyncio.FIRST_COMPLETED)
        if connected.is_set():
            return Finding(True, f"broker {broker.name}", f"connected, subscribed for {', '.join(sites)}")
        return Finding(False, f"broker {broker.name}", link.state)
    finally:
        for task in (running, waiting):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)

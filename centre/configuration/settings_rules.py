"""The rules that span several keys of the configuration, and those about the files that it names.

They work on the raw tables of the file, where a value may have any type, so that one mistake does not hide another. A
value that is wrong by itself is skipped here, and reported by the validation of its table.
"""

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from centre.configuration.centre_settings import GeneralSettings
from centre.configuration.secret_files import read_regular, secret_in, webhook_key_in
from centre.configuration.settings_problems import ABSENT, SettingsPath, SettingsProblems, key_text
from centre.configuration.settings_values import is_loopback

__all__ = ["check_raw_settings"]

RawTable = Mapping[str, Any]


def check_raw_settings(raw: RawTable, base: Path, problems: SettingsProblems) -> None:
    """Report every broken rule. Relative paths start at `base`."""
    _check_brokers(raw, base, problems)
    _check_database(_table(raw.get("database")), base, problems)
    _check_web(_table(raw.get("web")), base, problems)
    for path, webhook in _tables("webhook", raw):
        _check_webhook(path, webhook, base, problems)


# -- brokers -----------------------------------------------------------------------------------------------------


def _check_brokers(raw: RawTable, base: Path, problems: SettingsProblems) -> None:
    seen: dict[tuple[str, int], SettingsPath] = {}
    for path, broker in _tables("broker", raw):
        _check_access(path, broker, base, problems)
        host, port = broker.get("host"), broker.get("port", 8883)
        if isinstance(host, str) and isinstance(port, int):
            first = seen.setdefault((host.lower(), port), path)
            if first != path:
                problems.add(path, f"found the same host and port as in {key_text(first)}, expected each broker once")
    _check_sites(raw, problems)


def _check_access(path: SettingsPath, broker: RawTable, base: Path, problems: SettingsProblems) -> None:
    for key in ("ca_file", "cert_file", "key_file"):
        _check_file(read_regular, (*path, key), broker, base, problems)
        if key in broker and broker.get("tls") is False:
            problems.add((*path, key), "found with tls = false, expected only with tls = true")
    _check_file(secret_in, (*path, "password_file"), broker, base, problems)
    _check_pair((*path, "cert_file"), (*path, "key_file"), broker, problems)
    if "password_file" in broker and "username" not in broker:
        problems.expected((*path, "username"), "the user name that goes with password_file", ABSENT)


def _check_sites(raw: RawTable, problems: SettingsProblems) -> None:
    """Require that brokers serve sites of the centre, and that each site has a broker."""
    sites = _table(raw.get("centre")).get("sites", list(GeneralSettings.model_fields["sites"].default))
    if not _is_list_of_text(sites):
        return
    served: set[str] = set()
    brokers = list(_tables("broker", raw))
    for path, broker in brokers:
        own = broker.get("sites", sites)
        if not _is_list_of_text(own):
            return
        served.update(own)
        for place, site in enumerate(own):
            if site not in sites:
                problems.expected((*path, "sites", place), "one of centre.sites", site)
    if not brokers:
        return
    for place, site in enumerate(sites):
        if site not in served:
            problems.expected(("centre", "sites", place), "a site that one of the brokers serves", site)


# -- database, web and webhooks ----------------------------------------------------------------------------------


def _check_database(database: RawTable, base: Path, problems: SettingsProblems) -> None:
    path = ("database", "password_file")
    _check_file(secret_in, path, database, base, problems)
    url = database.get("url", "sqlite:")
    if "password_file" in database and isinstance(url, str) and url.startswith("sqlite:"):
        problems.add(path, "found with an SQLite database, which has no password; expected only with PostgreSQL")


def _check_web(web: RawTable, base: Path, problems: SettingsProblems) -> None:
    for key in ("tls_cert", "tls_key"):
        _check_file(read_regular, ("web", key), web, base, problems)
    _check_pair(("web", "tls_cert"), ("web", "tls_key"), web, problems)
    _check_certificate(web, base, problems)
    bind = web.get("bind")
    if (
        isinstance(bind, str)
        and _is_beyond_loopback(bind)
        and "tls_cert" not in web
        and web.get("behind_proxy") is not True
    ):
        problems.expected(
            ("web", "bind"), "a loopback address unless there are tls_cert and tls_key, or behind_proxy = true", bind
        )


def _check_certificate(web: RawTable, base: Path, problems: SettingsProblems) -> None:
    """Require a certificate and the key that belongs to it, so that the web server can start."""
    names = [web.get(key) for key in ("tls_cert", "tls_key")]
    cert, key = (base / name if isinstance(name, str) and name else None for name in names)
    if cert is None or key is None or not (cert.is_file() and key.is_file()):
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except OSError:  # ssl.SSLError too
        expected = "a PEM certificate and, in tls_key, its key without a password"
        problems.add(("web", "tls_cert"), f"found files that cannot be used, expected {expected}")


def _is_beyond_loopback(address: str) -> bool:
    try:
        return not is_loopback(address)
    except ValueError:
        return False  # reported by the table's own validation


def _check_webhook(path: SettingsPath, webhook: RawTable, base: Path, problems: SettingsProblems) -> None:
    _check_file(webhook_key_in, (*path, "secret_file"), webhook, base, problems)
    url = webhook.get("url")
    if isinstance(url, str) and urlsplit(url).scheme == "http" and webhook.get("insecure") is not True:
        problems.add((*path, "url"), "found http, expected https, or insecure = true")


# -- what several tables have ------------------------------------------------------------------------------------


def _check_file(
    read: Callable[[Path], object], path: SettingsPath, table: RawTable, base: Path, problems: SettingsProblems
) -> None:
    """Require that the file named by the last key of `path`, if there is one, can be read by `read`."""
    name = table.get(str(path[-1]))
    if not isinstance(name, str) or not name or not name.isprintable():
        return
    try:
        read(base / name)
    except OSError as exc:
        problems.expected(path, f"a readable file ({exc.strerror})", name)
    except ValueError as exc:
        problems.add(path, f"found something else in the file, expected {exc}")


def _check_pair(one: SettingsPath, other: SettingsPath, table: RawTable, problems: SettingsProblems) -> None:
    """Require that a certificate and its key come together."""
    for there, missing in ((one, other), (other, one)):
        if str(there[-1]) in table and str(missing[-1]) not in table:
            problems.expected(missing, f"a file, beside {there[-1]}", ABSENT)


def _table(value: object) -> RawTable:
    return value if isinstance(value, dict) else {}


def _tables(key: str, raw: RawTable) -> Iterator[tuple[SettingsPath, RawTable]]:
    values = raw.get(key)
    for place, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, dict):
            yield (key, place), value


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and _all_text(value)


def _all_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)

"""Runs each command: from its arguments to the function that does it.

A command's modules are imported when it runs.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from centre.moments import moment, utc_now

if TYPE_CHECKING:
    from centre.configuration.centre_settings import CentreSettings
    from centre.store.database import Database

__all__ = [
    "CONFIG_FILE",
    "backup_command",
    "check_command",
    "database_check_command",
    "database_upgrade_command",
    "export_command",
    "import_journal_command",
    "import_list_command",
    "import_orders_command",
    "run_command",
    "status_command",
    "token_add_command",
    "token_list_command",
    "token_revoke_command",
    "user_add_command",
    "user_list_command",
    "user_password_command",
    "user_remove_command",
]

CONFIG_FILE = Path("/etc/kiosk-centre/centre.toml")


def _settings(arguments: argparse.Namespace) -> "tuple[CentreSettings, bool]":
    """Return the settings, and whether they are from a file. Raises SettingsRefused.

    Without --config, and without a file in the default place, they are the defaults.
    """
    from centre.configuration.settings_file import defaults, load

    if arguments.config is None and not CONFIG_FILE.exists():
        return defaults(), False
    return load(arguments.config or CONFIG_FILE), True


@contextmanager
def _database(arguments: argparse.Namespace) -> "Iterator[Database]":
    from centre.process.database_opening import open_for_command

    settings, is_from_file = _settings(arguments)
    with open_for_command(settings, may_create=is_from_file) as database:
        _note_sites(database, settings)
        yield database


def _note_sites(database: "Database", settings: "CentreSettings") -> None:
    """Let the database know the sites of the configuration, as a start does."""
    from centre.orders.site_addition import serve_sites
    from centre.store.site_rows import all_sites

    sites = list(settings.general.sites)
    with database.reading() as connection:
        if set(sites) <= set(all_sites(connection)):
            return
    with database.writing() as connection:
        serve_sites(connection, sites, moment(utc_now()))


# -- the commands ------------------------------------------------------------------------------------------------


def run_command(arguments: argparse.Namespace) -> int:
    from centre.commands import run

    settings, _ = _settings(arguments)
    return run.run(settings)


def check_command(arguments: argparse.Namespace) -> int:
    from centre.commands import check
    from centre.process.centre_log import configure_log

    configure_log(sys.stderr)
    settings, is_from_file = _settings(arguments)
    origin = str(arguments.config or CONFIG_FILE) if is_from_file else f"defaults, without {CONFIG_FILE}"
    return check.check(settings, origin, sys.stdout, broker=arguments.broker, database=arguments.database)


def status_command(arguments: argparse.Namespace) -> int:
    from centre.commands import status

    return status.status(_settings(arguments)[0], sys.stdout, as_json=arguments.json)


def database_upgrade_command(arguments: argparse.Namespace) -> int:
    from centre.commands import database

    return database.upgrade(_settings(arguments)[0], sys.stdout)


def database_check_command(arguments: argparse.Namespace) -> int:
    from centre.commands import database

    return database.check(_settings(arguments)[0], sys.stdout)


def backup_command(arguments: argparse.Namespace) -> int:
    from centre.commands import database

    return database.backup(_settings(arguments)[0], arguments.file, sys.stdout)


def import_orders_command(arguments: argparse.Namespace) -> int:
    from centre.commands import imports

    pairs: list[str] = arguments.map
    file: Path | None = arguments.file
    swallowed = [one for one in pairs if "=" not in one]
    if file is None and len(swallowed) == 1:
        file, pairs = Path(swallowed[0]), [one for one in pairs if "=" in one]
    if file is None:
        arguments.usage_error("the following arguments are required: FILE")
        raise AssertionError("argparse has ended the process")
    renamed = imports.columns_of(pairs)
    with _database(arguments) as database:
        return imports.import_order_file(
            database,
            file,
            sys.stdout,
            format=arguments.format,
            renamed=renamed,
            dry_run=arguments.dry_run,
            now=utc_now,
        )


def import_list_command(arguments: argparse.Namespace) -> int:
    from centre.commands import imports

    with _database(arguments) as database:
        return imports.import_list(
            database,
            arguments.kind,
            arguments.file,
            sys.stdout,
            site=arguments.site,
            dry_run=arguments.dry_run,
            now=utc_now,
        )


def import_journal_command(arguments: argparse.Namespace) -> int:
    from centre.commands import imports

    with _database(arguments) as database:
        return imports.import_journal(database, arguments.file, sys.stdout, now=utc_now)


def export_command(arguments: argparse.Namespace) -> int:
    from centre.commands import exports

    with _database(arguments) as database:
        return exports.export_file(
            database,
            arguments.what,
            arguments.format,
            sys.stdout.buffer,
            since=arguments.since,
            raw=arguments.raw,
        )


def user_add_command(arguments: argparse.Namespace) -> int:
    from centre.commands import accounts
    from centre.web.scopes import UserRole

    with _database(arguments) as database:
        password = accounts.read_password(sys.stdin)
        return accounts.new_user(database, arguments.name, UserRole(arguments.role), password, now=utc_now)


def user_password_command(arguments: argparse.Namespace) -> int:
    from centre.commands import accounts

    with _database(arguments) as database:
        password = accounts.read_password(sys.stdin)
        return accounts.replace_password(database, arguments.name, password, now=utc_now)


def user_list_command(arguments: argparse.Namespace) -> int:
    from centre.commands import accounts

    with _database(arguments) as database:
        return accounts.list_users(database, sys.stdout)


def user_remove_command(arguments: argparse.Namespace) -> int:
    from centre.commands import accounts

    with _database(arguments) as database:
        return accounts.without_user(database, arguments.name, now=utc_now)


def token_add_command(arguments: argparse.Namespace) -> int:
    from centre.commands import accounts
    from centre.web.scopes import Scope

    with _database(arguments) as database:
        return accounts.new_token(database, arguments.name, Scope(arguments.scope), sys.stdout, now=utc_now)


def token_list_command(arguments: argparse.Namespace) -> int:
    from centre.commands import accounts

    with _database(arguments) as database:
        return accounts.list_tokens(database, sys.stdout)


def token_revoke_command(arguments: argparse.Namespace) -> int:
    from centre.commands import accounts

    with _database(arguments) as database:
        return accounts.revoke(database, arguments.name, sys.stdout, now=utc_now)

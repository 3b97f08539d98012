"""The arguments of the command line of the centre, and their help texts (`centre-commands.md`)."""

import argparse
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from centre import command_runs as runs

__all__ = ["command_parser"]

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="kiosk-centre",
        description="The centre of packing-bench kiosks: stores every event once, publishes the orders, and shows what "
        "is going on.",
        epilog="Exit codes: 0 success; 1 the configuration, or what was asked for, is refused; 2 wrong arguments; "
        "3 the database must not be used; 69 the database cannot be reached; 75 another centre uses the database, or "
        "another program the port; anything else is a bug.",
    )
    whole.add_argument("--version", action="version", version=f"kiosk-centre {metadata.version('kiosk-agent')}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    _add_status(commands)
    _add_import(commands)
    _add_export(commands)
    _add_user(commands)
    _add_token(commands)
    _add_database(commands)
    _add_backup(commands)
    return whole


def _add_run(commands: _Commands) -> None:
    _add(
        commands,
        "run",
        runs.run_command,
        "run the centre",
        "Runs until SIGTERM or SIGINT and logs to standard output. At the first start it makes the user admin, and "
        "prints the password and a link that signs in once.",
    )


def _add_check(commands: _Commands) -> None:
    check = _add(
        commands,
        "check",
        runs.check_command,
        "check the configuration file",
        "Tells every mistake in it. With --broker or --database it also tries what the file describes, and writes one "
        "line for each thing tried. The exit code is 1 if anything does not work.",
    )
    check.add_argument("--broker", action="store_true", help="also connect to each broker and subscribe")
    check.add_argument("--database", action="store_true", help="also open the database")


def _add_status(commands: _Commands) -> None:
    status = _add(
        commands,
        "status",
        runs.status_command,
        "show whether a centre runs, and what it has stored",
        "The exit code is 1 if no centre runs.",
    )
    status.add_argument("--json", action="store_true", help="write everything as one JSON document")


def _add_import(commands: _Commands) -> None:
    imports = _group(commands, "import", "take in orders, reference lists and journals from files")
    orders = _add(
        imports,
        "orders",
        runs.import_orders_command,
        "put the orders of a CSV or JSON file in force",
        "All of them or none: every faulty row is named. The centre may be running.",
    )
    # Not required here: after `--map A=B` argparse takes it for one more pair. The command finds it there.
    orders.add_argument("file", metavar="FILE", type=Path, nargs="?", help="the file to read; - is standard input")
    orders.set_defaults(usage_error=orders.error)
    orders.add_argument("--format", choices=("csv", "json"), help="default: by the file's name and content")
    orders.add_argument(
        "--map",
        action="extend",
        nargs="+",
        default=[],
        metavar="COLUMN=HEADER",
        help="the file's header for a column, such as order=SO_NUMBER; several, or repeated",
    )
    orders.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")
    for name, summary in (
        ("operators", "replace the operators of a site"),
        ("box-sizes", "replace the box sizes of a site"),
        ("blocked", "replace the blocked units of a site that were imported before"),
    ):
        details = "From a CSV or JSON file. The centre may be running."
        one = _add(imports, name, runs.import_list_command, summary, details)
        one.set_defaults(kind=name)
        _add_file(one)
        one.add_argument("--site", metavar="S", help="the site; may be left out if there is only one")
        one.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")
    journal = _add(
        imports,
        "journal",
        runs.import_journal_command,
        "take in the journal of a kiosk that cannot send it",
        "The file is what `kiosk-agent journal export` wrote. Events that are stored already are left as they are.",
    )
    _add_file(journal)


def _add_export(commands: _Commands) -> None:
    export = _add(
        commands,
        "export",
        runs.export_command,
        "write orders, devices, boxes or events to standard output",
        "The centre may be running. In CSV an order has a row a line.",
    )
    export.add_argument("what", choices=("orders", "units", "boxes", "events"), help="what to write")
    export.add_argument(
        "--since",
        metavar="T",
        help="only what has changed, or was received, since a day or time (ISO 8601, UTC unless it has an offset)",
    )
    export.add_argument("--format", choices=("csv", "json", "ndjson"), default="csv", help="default: %(default)s")
    export.add_argument(
        "--raw", action="store_true", help="CSV without the ' before cells that a spreadsheet would run as formulas"
    )


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="the file to read; - is standard input")


def _add_user(commands: _Commands) -> None:
    user = _group(commands, "user", "add, change and remove the people who may sign in")
    add = _add(
        user,
        "add",
        runs.user_add_command,
        "add a user",
        "The password is the first line of standard input, 8 characters or more.",
    )
    add.add_argument("name", metavar="NAME", help="the name to sign in with")
    add.add_argument(
        "--role",
        choices=("viewer", "supervisor", "admin"),
        required=True,
        help="a viewer reads, a supervisor works on orders and conflicts, an admin does everything",
    )
    password = _add(
        user,
        "password",
        runs.user_password_command,
        "give a user another password",
        "It is the first line of standard input. The user is signed out everywhere.",
    )
    password.add_argument("name", metavar="NAME", help="the user")
    _add(user, "list", runs.user_list_command, "list the users with their roles")
    remove = _add(user, "remove", runs.user_remove_command, "remove a user", "The user is signed out everywhere.")
    remove.add_argument("name", metavar="NAME", help="the user")


def _add_token(commands: _Commands) -> None:
    token = _group(commands, "token", "add and revoke the tokens of programs")
    add = _add(
        token,
        "add",
        runs.token_add_command,
        "make a token, and print it",
        "The token is printed alone, this once: the database has only a hash of it.",
    )
    add.add_argument("name", metavar="NAME", help="what the token is for; the audit shows it")
    add.add_argument(
        "--scope",
        choices=("read", "orders", "admin"),
        required=True,
        help="each includes those before it",
    )
    _add(token, "list", runs.token_list_command, "list the tokens, with their scopes and when they were last used")
    revoke = _add(token, "revoke", runs.token_revoke_command, "revoke all tokens of a name")
    revoke.add_argument("name", metavar="NAME", help="the name of the tokens")


def _add_database(commands: _Commands) -> None:
    database = _group(commands, "database", "upgrade and check the database")
    _add(
        database,
        "upgrade",
        runs.database_upgrade_command,
        "bring the database to the schema of this program",
        "The start of the centre does the same. Of an SQLite file a copy is made first.",
    )
    _add(
        database,
        "check",
        runs.database_check_command,
        "tell whether this program can use the database",
        "The exit code is 3 if it cannot.",
    )


def _add_backup(commands: _Commands) -> None:
    backup = _add(
        commands,
        "backup",
        runs.backup_command,
        "write a copy of the database",
        "The centre may be running. Of SQLite it is a database file; of PostgreSQL what pg_dump writes for pg_restore.",
    )
    backup.add_argument("file", metavar="FILE", type=Path, help="the file to write; it must not exist")


def _group(commands: _Commands, name: str, summary: str) -> _Commands:
    """Add a command that only has commands below it."""
    one = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    return one.add_subparsers(title="commands", metavar="COMMAND", required=True)


def _add(
    commands: _Commands,
    name: str,
    function: Callable[[argparse.Namespace], int],
    summary: str,
    details: str = "",
) -> argparse.ArgumentParser:
    """Add one command: the function that runs it, its texts, and --config."""
    one = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {details}".rstrip())
    one.set_defaults(command=function)
    one.add_argument(
        "--config",
        metavar="F",
        type=Path,
        help=f"the configuration file (default: {runs.CONFIG_FILE}; without it, the defaults of all settings)",
    )
    return one

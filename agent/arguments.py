"""The arguments of each command (`commands.md#command-line`).

Nothing of the kiosk is imported here: `--help` loads nothing. `agent.cli` runs what was asked for.
"""

import argparse
from pathlib import Path
from typing import TypeAlias

from agent import __version__

__all__ = ["DEFAULT_CONFIG", "parser"]

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

DEFAULT_CONFIG = Path("/etc/kiosk-agent/agent.toml")

_WHOLE_DIGITS = 12
_NEW_BADGES_MAX = 1000
"""No site has more operators; a larger number is a slip of the finger."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line. Its result has the name of the command as `command`."""
    whole = argparse.ArgumentParser(
        prog="kiosk-agent",
        description="The program on a packing-bench kiosk: reads barcode scanners, signals by light and sound, records "
        "every event on disk and publishes it over MQTT.",
        epilog="Exit codes: 0 success; 1 the configuration, or what was asked for, is refused; 2 wrong arguments; "
        "3 state on disk is damaged, or must not be overwritten; 69 a device cannot be opened; 75 another process uses "
        "the state directory; anything else is a bug.",
    )
    whole.add_argument("--version", action="version", version=f"kiosk-agent {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    _add_demo(commands)
    _add_scanners(commands)
    _add_sheet(commands)
    _add_status(commands)
    _add_journal(commands)
    _add_retire(commands)
    return whole


def _add_run(commands: _Commands) -> None:
    _add(
        commands,
        "run",
        "run the daemon",
        "Runs until SIGTERM or SIGINT and logs to standard output. On a kiosk, systemd starts it: kiosk-agent.service.",
    )


def _add_check(commands: _Commands) -> None:
    check = _add(
        commands,
        "check",
        "check the configuration file",
        "Tells every mistake in it. With --hardware or --broker it also tries what the file describes, and writes one "
        "line for each thing tried. The exit code is 1 if anything does not work.",
    )
    check.add_argument("--hardware", action="store_true", help="also open every scanner, light and button")
    check.add_argument("--broker", action="store_true", help="also connect to the broker and subscribe")


def _add_demo(commands: _Commands) -> None:
    demo = _add(
        commands,
        "demo",
        "run a kiosk on this machine, without hardware",
        "Starts a broker, a simulated centre and the daemon, all temporary. You type barcodes at the keyboard.",
        config=False,
    )
    demo.add_argument("--play", action="store_true", help="play a scripted day instead of reading the keyboard")


def _add_scanners(commands: _Commands) -> None:
    scanners = _add(
        commands,
        "scanners",
        "list what could be a scanner, as configuration to paste",
        "Lists keyboards and serial ports. With --learn it waits for the test barcode and finds a scanner's layout, "
        "terminator and AIM setting.",
        config=False,
    )
    scanners.add_argument("--learn", action="store_true", help="find a scanner's settings from the test barcode")
    scanners.add_argument(
        "--baud",
        type=_whole,
        default=9600,
        metavar="N",
        help="the speed of serial scanners, in bits per second (default: %(default)s)",
    )


def _add_sheet(commands: _Commands) -> None:
    sheet = _add(
        commands,
        "sheet",
        "write the command barcodes, box sizes and badges as a PDF",
        "Box sizes and badges are those that this kiosk has from the centre. Without a configuration, only the command "
        "barcodes are written.",
        state=True,
    )
    sheet.add_argument("file", metavar="OUT.pdf", type=Path, help="the file to write")
    sheet.add_argument(
        "--new-badges",
        type=_new_badges,
        default=0,
        metavar="N",
        help=f"add N new badges, at most {_NEW_BADGES_MAX:,}, and print their codes for the operators list",
    )


def _add_status(commands: _Commands) -> None:
    status = _add(
        commands,
        "status",
        "show what the running daemon sees",
        "Shows stations, scanners and the health of the kiosk. The exit code is 1 if no daemon runs.",
        state=True,
    )
    status.add_argument("--json", action="store_true", help="write everything as one JSON document")


def _add_journal(commands: _Commands) -> None:
    journal = commands.add_parser(
        "journal",
        help="read the journal",
        description="Read the journal. The daemon may be running. The exit code is 3 if the journal is damaged.",
    )
    reads = journal.add_subparsers(title="commands", metavar="COMMAND", required=True)
    tail = _add(reads, "tail", "show the newest events, one per line", state=True)
    tail.add_argument(
        "-n", "--lines", type=_whole, default=20, metavar="N", help="how many events (default: %(default)s)"
    )
    tail.add_argument("-f", "--follow", action="store_true", help="go on with new events as they come")
    export = _add(
        reads,
        "export",
        "write events as they are published, one per line",
        "Each line is a CloudEvents document in JSON. Damaged places are skipped, and reported on stderr.",
        state=True,
    )
    export.add_argument("--from", dest="first", metavar="SEQ", help="the first event: its sequence or its id")
    export.add_argument("--through", metavar="SEQ", help="the last event: its sequence or its id")
    _add(
        reads,
        "verify",
        "check every event in the journal for damage",
        "Tells each damaged place, and how many events are sound.",
        state=True,
    )


def _add_retire(commands: _Commands) -> None:
    _add(
        commands,
        "retire",
        "take this kiosk out of service",
        "Clears this kiosk's retained messages at the broker: status, health and station views. The daemon must be "
        "stopped. Refused while events are undelivered. The journal stays.",
    )


def _add(
    commands: _Commands,
    name: str,
    summary: str,
    details: str = "",
    *,
    config: bool = True,
    state: bool = False,
) -> argparse.ArgumentParser:
    """Add one command: its texts, and the arguments that several commands have."""
    one = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {details}".rstrip())
    one.set_defaults(command=name)
    if config:
        one.add_argument(
            "--config",
            metavar="F",
            type=Path,
            default=DEFAULT_CONFIG,
            help="the configuration file (default: %(default)s)",
        )
    if state:
        one.add_argument("--state-dir", metavar="DIR", help="the state directory, instead of the configured one")
    return one


def _new_badges(text: str) -> int:
    count = _whole(text)
    if count > _NEW_BADGES_MAX:
        raise argparse.ArgumentTypeError(f"at most {_NEW_BADGES_MAX:,} badges can be made at once, not {count:,}")
    return count


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"not a whole number: {text!r}")
    if len(text) > _WHOLE_DIGITS:
        raise argparse.ArgumentTypeError(f"too large: a number of {len(text)} digits")
    return int(text)

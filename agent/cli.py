"""The command line (`commands.md#command-line`).

A command's modules are imported when it runs: `run` loads what the daemon needs and no more, `--help` loads nothing.
"""

import argparse
import gc
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from agent import __version__
from agent.errors import ConfigError, JournalDamaged, JournalOfAnotherVersion, KioskError
from agent.exit_codes import exit_code_of

__all__ = ["DEFAULT_CONFIG", "main", "parser"]

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

DEFAULT_CONFIG = Path("/etc/kiosk-agent/agent.toml")

_WHOLE_DIGITS = 12
_NEW_BADGES_MAX = 1000
"""No site has more operators; a larger number is a slip of the finger."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (`commands.md#exit-codes`). Errors are written to stderr."""
    _open_standard_streams()
    _print_any_text()
    args = parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        code = command(args)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - the one place where a command's error ends
        _tell(exc)
        return exit_code_of(exc)
    return code


def _open_standard_streams() -> None:
    """Open /dev/null for each standard stream that is closed.

    Else a file opened later would get its descriptor, and what a library writes to stderr would go into the journal.
    """
    lowest = os.open(os.devnull, os.O_RDWR)
    while lowest <= 2:
        lowest = os.dup(lowest)
    os.close(lowest)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def _print_any_text() -> None:
    """Escape what the locale's encoding cannot write, instead of failing: names may be in any script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _tell(error: BaseException) -> None:
    """Write an error to stderr: a line or a few for what a person can correct, a traceback for a bug."""
    match error:
        case ConfigError():
            _complain("the configuration is refused:", *(f"  {problem}" for problem in error.problems))
        case JournalOfAnotherVersion():
            _complain(f"another version of this program wrote the journal, which is left as it is: {error}")
        case JournalDamaged():
            _complain(f"the journal is damaged and is left as it is: {error}")
        case KioskError():
            _complain(str(error))
        case KeyboardInterrupt():
            pass
        case BrokenPipeError():
            # The program that read our output has ended (`| head`). Python flushes stdout again at exit; that must not
            # fail.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        case _:
            traceback.print_exception(error)


def _complain(*lines: str) -> None:
    for line in lines:
        print(line if line.startswith("  ") else f"kiosk-agent: {line}", file=sys.stderr)


# -- running a command -------------------------------------------------------------------------------------------


def _run(args: argparse.Namespace) -> int:
    # A start makes many objects and no garbage: this spares it 8 ms of 128. Later, housekeeping collects.
    gc.disable()
    # Otherwise pydantic reads the metadata of every installed package, to look for plugins. There are none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from agent.commands import run

    return run.run(args.config)


def _check(args: argparse.Namespace) -> int:
    from agent.commands import check
    from agent.runtime import log

    log.configure(sys.stderr)
    return check.check(args.config, sys.stdout, hardware=args.hardware, broker=args.broker)


def _demo(args: argparse.Namespace) -> int:
    from agent.commands import demo

    return demo.demo(play=args.play)


def _scanners(args: argparse.Namespace) -> int:
    if args.learn:
        from agent.commands import learn

        return learn.learn(sys.stdout, baud=args.baud)
    from agent.commands import scanners

    return scanners.scanners(sys.stdout)


def _sheet(args: argparse.Namespace) -> int:
    from agent.commands import sheet
    from agent.config import salvage

    # The command barcodes can be printed on any machine, without a configuration.
    kiosk = None if args.state_dir is not None else salvage(args.config).kiosk
    state_dir = args.state_dir if kiosk is None else kiosk.state_dir
    return sheet.sheet(
        args.file, None if state_dir is None else Path(state_dir), sys.stdout, new_badges=args.new_badges
    )


def _status(args: argparse.Namespace) -> int:
    from agent.commands import status

    return status.status(_state_dir(args), sys.stdout, as_json=args.json)


def _tail(args: argparse.Namespace) -> int:
    from agent.commands import journal

    return journal.tail(_state_dir(args), sys.stdout, count=args.lines, follow=args.follow)


def _export(args: argparse.Namespace) -> int:
    from agent.commands import journal

    if isinstance(sys.stdout, io.TextIOWrapper):
        # Events are UTF-8, whatever the locale says.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
    return journal.export(_state_dir(args), sys.stdout, first=args.first, through=args.through)


def _verify(args: argparse.Namespace) -> int:
    from agent.commands import journal

    return journal.verify(_state_dir(args), sys.stdout)


def _retire(args: argparse.Namespace) -> int:
    from agent.commands import retire
    from agent.runtime import log

    log.configure(sys.stderr)
    return retire.retire(args.config, sys.stdout)


def _state_dir(args: argparse.Namespace) -> Path:
    """Return the state directory. Other settings may be wrong, and secrets unreadable for this user."""
    if args.state_dir is not None:
        return Path(args.state_dir)
    from agent.config import load, salvage

    kiosk = salvage(args.config).kiosk
    return (load(args.config).kiosk if kiosk is None else kiosk).state_dir


# -- the arguments of each command -------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
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
        _run,
        "run the daemon",
        "Runs until SIGTERM or SIGINT and logs to standard output. On a kiosk, systemd starts it: kiosk-agent.service.",
    )


def _add_check(commands: _Commands) -> None:
    check = _add(
        commands,
        "check",
        _check,
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
        _demo,
        "run a kiosk on this machine, without hardware",
        "Starts a broker, a simulated centre and the daemon, all temporary. You type barcodes at the keyboard.",
        config=False,
    )
    demo.add_argument("--play", action="store_true", help="play a scripted day instead of reading the keyboard")


def _add_scanners(commands: _Commands) -> None:
    scanners = _add(
        commands,
        "scanners",
        _scanners,
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
        _sheet,
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
        _status,
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
    tail = _add(reads, "tail", _tail, "show the newest events, one per line", state=True)
    tail.add_argument(
        "-n", "--lines", type=_whole, default=20, metavar="N", help="how many events (default: %(default)s)"
    )
    tail.add_argument("-f", "--follow", action="store_true", help="go on with new events as they come")
    export = _add(
        reads,
        "export",
        _export,
        "write events as they are published, one per line",
        "Each line is a CloudEvents document in JSON. Damaged places are skipped, and reported on stderr.",
        state=True,
    )
    export.add_argument("--from", dest="first", metavar="SEQ", help="the first event: its sequence or its id")
    export.add_argument("--through", metavar="SEQ", help="the last event: its sequence or its id")
    _add(
        reads,
        "verify",
        _verify,
        "check every event in the journal for damage",
        "Tells each damaged place, and how many events are sound.",
        state=True,
    )


def _add_retire(commands: _Commands) -> None:
    _add(
        commands,
        "retire",
        _retire,
        "take this kiosk out of service",
        "Clears this kiosk's retained messages at the broker: status, health and station views. The daemon must be "
        "stopped. Refused while events are undelivered. The journal stays.",
    )


def _add(
    commands: _Commands,
    name: str,
    function: Callable[[argparse.Namespace], int],
    summary: str,
    details: str = "",
    *,
    config: bool = True,
    state: bool = False,
) -> argparse.ArgumentParser:
    """Add one command: the function that runs it, its texts, and the arguments that several commands have."""
    one = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {details}".rstrip())
    one.set_defaults(command=function)
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

"""The command line: which commands there are, and what their end means (`Exit`).

Each command is imported only when it is the one that was asked for: `run` loads what a kiosk needs, `--help` nothing.
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
from agent.errors import ConfigError, JournalDamaged, KioskError
from agent.exit_codes import exit_code_of

__all__ = ["DEFAULT_CONFIG", "main"]

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

DEFAULT_CONFIG = Path("/etc/kiosk-agent/agent.toml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors that a person causes end in one line each, on stderr."""
    argv = sys.argv[1:] if argv is None else argv
    args = _parser(argv).parse_args(argv)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        code = command(args)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - the one place where a command's error ends
        _tell(exc)
        return exit_code_of(exc)
    return code


def _tell(error: BaseException) -> None:
    """Write what happened to stderr: a line or a few for what a person can mend, a traceback for a bug."""
    match error:
        case ConfigError():
            _complain("the configuration is refused:", *(f"  {problem}" for problem in error.problems))
        case JournalDamaged():
            _complain(f"the journal is damaged and is left as it is: {error}")
        case KioskError():
            _complain(str(error))
        case KeyboardInterrupt():
            pass
        case BrokenPipeError():
            # Whoever read our output is gone (`| head`). Python flushes stdout again when it ends, which must not fail.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        case _:
            traceback.print_exception(error)


def _complain(*lines: str) -> None:
    for line in lines:
        print(line if line.startswith("  ") else f"kiosk-agent: {line}", file=sys.stderr)


# -- the commands ------------------------------------------------------------------------------------------------


def _run(args: argparse.Namespace) -> int:
    # Starting makes many objects and no garbage; the daemon has its own time for collections.
    gc.disable()
    # Else pydantic goes through the metadata of all that is installed, for plugins that we do not have.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from agent.commands import run

    return run.run(args.config)


def _check(args: argparse.Namespace) -> int:
    from agent.commands import check
    from agent.runtime import log

    log.configure(sys.stderr)
    return check.check(args.config, sys.stdout, hardware=args.hardware, broker=args.broker)


def _demo(args: argparse.Namespace) -> int:
    from agent.commands import demo_cmd

    return demo_cmd.demo(play=args.play or args.svg is not None, broker=args.broker, svg=args.svg)


def _scanners(args: argparse.Namespace) -> int:
    if args.learn:
        from agent.commands import learn

        return learn.learn(sys.stdout, baud=args.baud)
    from agent.commands import scanners

    return scanners.scanners(sys.stdout)


def _sheet(args: argparse.Namespace) -> int:
    from agent.commands import sheet
    from agent.config import salvage

    # The commands can be printed anywhere, also where no kiosk is set up yet.
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
        # The events are UTF-8, whatever the terminal's language.
        sys.stdout.reconfigure(encoding="utf-8", errors="strict", newline="\n")
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
    """Where the state is. The rest of the configuration need not be sound for it, nor its secrets readable."""
    if args.state_dir is not None:
        return Path(args.state_dir)
    from agent.config import load, salvage

    kiosk = salvage(args.config).kiosk
    return (load(args.config).kiosk if kiosk is None else kiosk).state_dir


# -- their arguments ---------------------------------------------------------------------------------------------


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"not a whole number: {text!r}")
    return int(text)


def _add_run(commands: _Commands) -> None:
    _add(commands, "run", _run, "run the daemon")


def _add_check(commands: _Commands) -> None:
    check = _add(commands, "check", _check, "check the configuration file")
    check.add_argument("--hardware", action="store_true", help="also open every device")
    check.add_argument("--broker", action="store_true", help="also connect to the broker")


def _add_demo(commands: _Commands) -> None:
    demo = _add(commands, "demo", _demo, "show the whole thing on this machine, without hardware", config=False)
    demo.add_argument("--play", action="store_true", help="play a scripted day instead of waiting for input")
    demo.add_argument(
        "--broker",
        choices=("auto", "mosquitto", "embedded"),
        default="auto",
        help="the broker to start: auto takes a mosquitto if there is one (default: %(default)s)",
    )
    demo.add_argument("--svg", metavar="FILE", type=Path, help="play, and write the picture of one moment to FILE")


def _add_scanners(commands: _Commands) -> None:
    scanners = _add(commands, "scanners", _scanners, "list what is plugged in, as configuration to paste", config=False)
    scanners.add_argument("--learn", action="store_true", help="find a scanner's settings from the test barcode")
    scanners.add_argument(
        "--baud",
        type=_whole,
        default=9600,
        metavar="N",
        help="the speed to learn serial lines at (default: %(default)s)",
    )


def _add_sheet(commands: _Commands) -> None:
    sheet = _add(commands, "sheet", _sheet, "print the command barcodes, box sizes and badges", state=True)
    sheet.add_argument("file", metavar="OUT.pdf", type=Path, help="the file to write")
    sheet.add_argument(
        "--new-badges",
        type=_whole,
        default=0,
        metavar="N",
        help="also print so many new badges, and list their codes for the operators list",
    )


def _add_status(commands: _Commands) -> None:
    status = _add(commands, "status", _status, "show what the running daemon sees", state=True)
    status.add_argument("--json", action="store_true", help="the whole document, for programs")


def _add_journal(commands: _Commands) -> None:
    journal = commands.add_parser("journal", help="read the journal, also while the daemon runs")
    reads = journal.add_subparsers(title="commands", metavar="COMMAND", required=True)
    tail = _add(reads, "tail", _tail, "show the newest events, one a line", state=True)
    tail.add_argument("-n", "--lines", type=_whole, default=20, metavar="N", help="how many (default: %(default)s)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on with new ones as they come")
    export = _add(reads, "export", _export, "write the exact CloudEvents, one a line", state=True)
    export.add_argument("--from", dest="first", metavar="SEQ", help="the first sequence, or an event's id")
    export.add_argument("--through", metavar="SEQ", help="the last sequence, or an event's id")
    _add(reads, "verify", _verify, "check every event of the journal", state=True)


def _add_retire(commands: _Commands) -> None:
    _add(commands, "retire", _retire, "take this kiosk out of service: clear its retained topics")


_COMMANDS: dict[str, Callable[[_Commands], None]] = {
    "run": _add_run,
    "check": _add_check,
    "demo": _add_demo,
    "scanners": _add_scanners,
    "sheet": _add_sheet,
    "status": _add_status,
    "journal": _add_journal,
    "retire": _add_retire,
}


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of these arguments. It has all commands, or that one alone with which `argv` begins.

    To describe them all costs every start some milliseconds; no message tells the difference.
    """
    parser = argparse.ArgumentParser(
        prog="kiosk-agent",
        description="The headless packing-bench kiosk: barcode scanners in, light and sound out, MQTT to the centre.",
        epilog="Exit codes: 0 done, 1 refused, 2 wrong usage, 3 state on disk that must not be overwritten.",
    )
    parser.add_argument("--version", action="version", version=f"kiosk-agent {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in argv[:1] if argv[:1] and argv[0] in _COMMANDS else _COMMANDS:
        _COMMANDS[name](commands)
    return parser


def _add(
    commands: _Commands,
    name: str,
    function: Callable[[argparse.Namespace], int],
    summary: str,
    *,
    config: bool = True,
    state: bool = False,
) -> argparse.ArgumentParser:
    """One command: what runs it, what the list of commands says, and the arguments that many have."""
    one = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    one.set_defaults(command=function)
    if config:
        one.add_argument(
            "--config",
            metavar="F",
            type=Path,
            default=DEFAULT_CONFIG,
            help="the configuration (default: %(default)s)",
        )
    if state:
        one.add_argument("--state-dir", metavar="DIR", help="read this state folder, whatever the configuration says")
    return one

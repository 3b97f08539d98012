"""Run a command (`commands.md#command-line`).

A command's modules are imported when it runs: `run` loads what the daemon needs and no more.
"""

import argparse
import gc
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.arguments import parser
from agent.errors import ConfigError, JournalDamaged, JournalOfAnotherVersion, KioskError
from agent.exit_codes import exit_code_of

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (`commands.md#exit-codes`). Errors are written to stderr."""
    _open_standard_streams()
    _print_any_text()
    args = parser().parse_args(argv)
    try:
        code = _COMMANDS[args.command](args)
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


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "check": _check,
    "demo": _demo,
    "scanners": _scanners,
    "sheet": _sheet,
    "status": _status,
    "tail": _tail,
    "export": _export,
    "verify": _verify,
    "retire": _retire,
}
"""By the name in `agent.arguments`; `tail`, `export` and `verify` are those of `journal`."""

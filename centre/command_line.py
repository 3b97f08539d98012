"""The command line of the centre (`centre-commands.md`).

A command's modules are imported when it runs, so that `--help` is fast.
"""

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from centre.centre_errors import CentreError, DatabaseDown, DatabaseRefused, SettingsRefused
from centre.command_parser import command_parser
from centre.exit_status import exit_status_of

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (`centre-commands.md#exit-codes`). Errors are written to stderr."""
    _print_any_text()
    arguments = command_parser().parse_args(_utf8_arguments() if argv is None else argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        code = command(arguments)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - the one place where a command's error ends
        _tell(exc)
        return exit_status_of(exc)
    return code


def _utf8_arguments() -> list[str]:
    """Return the arguments read as UTF-8, whatever the locale says, where they are."""
    arguments = []
    for argument in sys.argv[1:]:
        try:
            arguments.append(os.fsencode(argument).decode("utf-8"))
        except UnicodeDecodeError:
            arguments.append(argument)
    return arguments


def _print_any_text() -> None:
    """Escape what the locale's encoding cannot write, instead of failing: names may be in any script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")


def _tell(error: BaseException) -> None:
    """Write an error to stderr: a line or a few for what a person can correct, a traceback for a bug."""
    match error:
        case SettingsRefused():
            _complain("the configuration is refused:", *(f"  {problem}" for problem in error.problems))
        case DatabaseDown():
            _complain(f"the database cannot be reached: {error}")
        case DatabaseRefused() | CentreError():
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
        print(line if line.startswith("  ") else f"kiosk-centre: {line}", file=sys.stderr)

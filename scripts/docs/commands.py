"""The commands with their `--help`, from `agent.arguments`."""

import argparse
import re
from collections.abc import Iterator

from agent.arguments import parser as whole_parser
from centre.command_parser import command_parser
from scripts.docs.markdown import code, table

__all__ = ["centre_commands", "commands"]

_WIDTH = 100


class _Formatter(argparse.HelpFormatter):
    """Formats help in the same way on every terminal and in every version of Python."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=_WIDTH)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        # Until 3.12 the argument follows each of the names, later only the last one.
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"


def commands() -> str:
    """Return a table of all commands of `kiosk-agent`, and the help of each."""
    return _commands_of(whole_parser())


def centre_commands() -> str:
    """Return the same of `kiosk-centre`."""
    return _commands_of(command_parser())


def _commands_of(whole: argparse.ArgumentParser) -> str:
    parsers = list(_leaves(whole))
    rows = [(code(parser.prog), _summary(parser)) for parser in parsers]
    helps = (f"```text\n$ {parser.prog} --help\n{_help_of(parser)}```\n" for parser in parsers)
    return "\n".join((table(("command", "does"), rows), *helps))


def _leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers of the commands that have no commands below them."""
    choices = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not choices:
        yield parser
    for below in choices:
        for one in below.values():
            yield from _leaves(one)


def _summary(parser: argparse.ArgumentParser) -> str:
    """Return the first sentence of the description, to stand in a table."""
    return re.split(r"\.(?:\s|$)", parser.description or "")[0]


def _help_of(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = _Formatter
    return parser.format_help()

"""The generated blocks, by name, and the pages with every block made anew."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.docs.commands import centre_commands, commands
from scripts.docs.events import events, values
from scripts.docs.messages import messages
from scripts.docs.paths import REFERENCE
from scripts.docs.reasons import reasons, seen
from scripts.docs.rest import rest_objects, rest_requests, rest_table
from scripts.docs.rules import rules
from scripts.docs.settings import centre_settings, settings
from scripts.docs.signals import lengths, signals, steady
from scripts.docs.states import diagram, states

__all__ = ["BLOCKS", "pages", "regenerated"]

BLOCKS: Mapping[str, Callable[[], str]] = {
    "centre_commands": centre_commands,
    "centre_settings": centre_settings,
    "commands": commands,
    "diagram": diagram,
    "events": events,
    "lengths": lengths,
    "messages": messages,
    "reasons": reasons,
    "rest_objects": rest_objects,
    "rest_requests": rest_requests,
    "rest_table": rest_table,
    "rules": rules,
    "seen": seen,
    "settings": settings,
    "signals": signals,
    "states": states,
    "steady": steady,
    "values": values,
}

_BLOCK = re.compile(r"(?P<begin><!-- generated: (?P<name>\w+) -->\n).*?(?P<end><!-- end generated -->)", re.DOTALL)


def regenerated(text: str) -> str:
    """Return the text of a page with all its generated blocks made anew. Raises KeyError for an unknown block."""
    return _BLOCK.sub(lambda match: f"{match['begin']}{BLOCKS[match['name']]().strip()}\n{match['end']}", text)


def pages() -> dict[Path, str]:
    """Return every page of docs/reference/, by its path, as it should be."""
    return {path: regenerated(path.read_text("utf-8")) for path in sorted(REFERENCE.glob("*.md"))}

"""The stations whose views this kiosk ever published, kept on disk for `retire`.

A kiosk may not read its own views at the broker, so it cannot ask there which ones are retained. (`commands.md#retire`)
"""

import logging
import re
from collections.abc import Iterable
from pathlib import Path

from agent.runtime.durable import read_file, replace_durably

__all__ = ["STATIONS_FILE", "add_published_stations", "published_stations"]

STATIONS_FILE = "stations"
"""Its name in the state directory: one station id a line."""

_log = logging.getLogger(__name__)

_ID = re.compile("[A-Za-z0-9_-]{1,64}")


def published_stations(path: Path) -> list[str]:
    """Return the station ids in the file at `path`, sorted. Empty if the file is missing or cannot be read."""
    try:
        lines = read_file(path).decode("ascii", "replace").splitlines()
    except OSError:
        return []
    return sorted({line for line in lines if _ID.fullmatch(line)})


def add_published_stations(path: Path, stations: Iterable[str]) -> None:
    """Add station ids to the file at `path`, before their views are published. Errors are logged, not raised."""
    known = published_stations(path)
    all_ids = sorted({*known, *stations})
    if all_ids == known:
        return
    try:
        replace_durably(path, "".join(f"{one}\n" for one in all_ids).encode())
    except OSError as exc:
        _log.warning("the list of stations cannot be written; `retire` may miss one of them", extra={"why": exc})

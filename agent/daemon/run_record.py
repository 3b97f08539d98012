"""How the last run of the daemon ended, and how often it was started: a small file in the state directory."""

import json
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from agent.contract.kiosk_health import LastExit
from agent.runtime.durable import read_file, replace_file

__all__ = ["LastRun", "RunRecord"]


class LastRun(Struct, frozen=True, kw_only=True):
    """`restarts` counts the starts since the state directory was made, without the first."""

    cause: LastExit
    restarts: int


class RunRecord:
    """Only `health` depends on it: a file that cannot be read or written is ignored."""

    def __init__(self, path: Path, boot_id: str) -> None:
        self._path = path
        self._boot_id = boot_id

    def begin(self) -> LastRun:
        """Note that a run begins; return how the last one ended."""
        try:
            last = json.loads(read_file(self._path))
            starts, boot_id, ended = int(last["starts"]), str(last["boot_id"]), last["ended"]
        except (OSError, ValueError, KeyError, TypeError):
            self._write(1, ended=None)
            return LastRun(cause=LastExit.NONE, restarts=0)
        self._write(starts + 1, ended=None)
        if ended in (LastExit.STOPPED, LastExit.FAILED):
            cause = LastExit(ended)
        else:
            cause = LastExit.KILLED if boot_id == self._boot_id else LastExit.POWER
        return LastRun(cause=cause, restarts=starts)

    def end(self, *, failed: bool) -> None:
        """Note that the run ended by itself: as it was told to, or because it failed."""
        try:
            starts = int(json.loads(read_file(self._path))["starts"])
        except (OSError, ValueError, KeyError, TypeError):
            starts = 1
        self._write(starts, ended=LastExit.FAILED if failed else LastExit.STOPPED)

    def _write(self, starts: int, *, ended: LastExit | None) -> None:
        text = json.dumps({"starts": starts, "boot_id": self._boot_id, "ended": ended})
        with suppress(OSError):
            replace_file(self._path, text.encode(), flush=False)

"""The real centre, as a process of its own: `kiosk-centre run`, with everything that the demo's kiosk needs.

The agent never imports the centre. The demo speaks with it as any other program does: by commands and REST.
"""

import collections
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from agent.demo.broker import HOST, PROTOCOL
from agent.demo.centre_rest import CentreFailed, CentreRest
from agent.demo.event_summary import EventSummary, summary_of
from agent.demo.sample import BOXES, OPERATORS, ORDERS, SITE
from agent.errors import KioskError

__all__ = ["CentreMissing", "DemoCentre"]

_STOP_S = 10.0
_POLL_S = 0.05
_LOG_LINES = 200
_BOARD = re.compile(r"The board is at (\S+)")
_LINK = re.compile(r"\s+(http\S+/sign-in/\S+)")


class CentreMissing(KioskError, ImportError):
    """What the centre needs is not installed."""


class DemoCentre:
    """One centre in `directory`. Context-managed: on entry it returns once orders and lists are stored there.

    `port` is the broker's. `on_event` is called with each event once it is stored, in a thread of its own. The board is
    at `web_port`, by default any that is free.
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        on_event: Callable[[EventSummary], None],
        web_port: int = 0,
        orders: Sequence[Mapping[str, Any]] = ORDERS,
    ) -> None:
        self._config = directory / "centre.toml"
        self._config.write_text(
            f'[centre]\nsites = ["{SITE}"]\ndata_dir = "centre"\n[[broker]]\nhost = "{HOST}"\nport = {port}\n'
            f"tls = false\nprotocol = {PROTOCOL}\n[web]\nport = {web_port}\n"
        )
        self._on_event = on_event
        self._orders = orders
        self.token = ""
        """A token of the scope admin."""
        self._log: collections.deque[str] = collections.deque(maxlen=_LOG_LINES)
        self._stored: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._is_stopping = threading.Event()
        self.failed: str | None = None
        """Why events are no longer read; None while they are."""
        self.board = ""
        """The address of the board."""
        self.sign_in_link = ""
        """Signs in to the board, once."""

    def __enter__(self) -> Self:
        self.token = self._command("token", "add", "demo", "--scope", "admin").strip()
        self._process = subprocess.Popen(
            self._argv("run"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C is for the demo, which ends the centre last
        )
        try:
            self._read_addresses(self._process.stdout)
            self._logger = self._start(lambda: self._keep_log(self._process.stdout))
            self._rest = CentreRest(self.board, self.token)
            self._rest.put(f"/operators/{SITE}", {"items": OPERATORS["items"]})
            self._rest.put(f"/box-sizes/{SITE}", {"items": BOXES["items"]})
            for order in self._orders:
                self._rest.put(_path_of(order), order)
        except BaseException:
            self._end_process()
            raise
        self._follower = self._start(self._follow)
        return self

    def __exit__(self, *_: object) -> None:
        """Read what has been stored meanwhile, then end the centre."""
        self._is_stopping.set()
        self._follower.join()
        self._end_process()
        self._logger.join()

    def _start(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name="demo centre", daemon=True)
        thread.start()
        return thread

    def _end_process(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    # -- for other threads ---------------------------------------------------------------------------------------

    def stored(self) -> dict[int, bytes]:
        """Return the documents stored so far, by sequence."""
        with self._lock:
            return dict(self._stored)

    def packed(self) -> frozenset[str]:
        """Return the orders that are packed, as the centre says. Raises CentreFailed."""
        return frozenset(
            str(order["order"]) for order in self._orders if self._rest.get(_path_of(order))["status"] == "packed"
        )

    def has_told(self, sequence: int) -> bool:
        """Return whether `on_event` was called with the event of this sequence."""
        with self._lock:
            return sequence in self._stored or self.failed is not None

    def log(self) -> str:
        """Return the newest lines of the centre's log."""
        return "".join(self._log)

    # -- the process ---------------------------------------------------------------------------------------------

    def _argv(self, *command: str) -> list[str]:
        return [sys.executable, "-m", "centre", *command, "--config", str(self._config)]

    def _command(self, *command: str) -> str:
        done = subprocess.run(self._argv(*command), capture_output=True, text=True, check=False)
        if "ModuleNotFoundError" in done.stderr:
            raise CentreMissing("the demo needs the centre: pip install 'kiosk-agent[demo]'")
        if done.returncode != 0:
            raise CentreFailed(f"the demo's centre does not start: {done.stderr.strip()}")
        return done.stdout

    def _read_addresses(self, output: Iterable[str] | None) -> None:
        for line in output or ():
            self._log.append(line)
            if board := _BOARD.match(line):
                self.board = board[1]
            if link := _LINK.match(line):
                self.sign_in_link = link[1]
            if " started " in line:
                return
        raise CentreFailed(f"the demo's centre does not start: {self.log()}")

    def _keep_log(self, output: Iterable[str] | None) -> None:
        self._log.extend(output or ())

    # -- what it has stored --------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Read the feed of events until the end, and then once more."""
        after = ""
        try:
            while True:
                is_last = self._is_stopping.is_set()
                documents, after = self._rest.events(after)
                for document in documents:
                    event = summary_of(document)
                    self._on_event(event)
                    with self._lock:
                        self._stored[event.sequence] = document
                if is_last:
                    return
                time.sleep(_POLL_S)
        except KioskError as exc:
            self.failed = str(exc)


def _path_of(order: Mapping[str, Any]) -> str:
    return f"/orders/{quote(str(order['order']), safe='')}"

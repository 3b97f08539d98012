"""The parts of a demonstration, tied together: the real daemon between a scanner to type at and a centre of its own."""

import logging
import threading
import time
from pathlib import Path

from agent.config.settings import (
    Config,
    KioskSettings,
    MqttSettings,
    NoIndicatorSettings,
    StationSettings,
    UplinkSettings,
    WorkflowSettings,
)
from agent.daemon.root import Daemon
from agent.daemon.shutdown import PartFailed
from agent.demo.board import Board
from agent.demo.broker import HOST, Listening
from agent.demo.central import Central
from agent.demo.hints import Hint, hint_of
from agent.demo.indicator import DrawnIndicator
from agent.demo.sample import KIOSK, ORDERS, SITE, STATION
from agent.demo.typed_scanner import TypedScanner
from agent.demo.view import View, view_of
from agent.demo.words import Typed, typed_of
from agent.exit_codes import ExitCode, exit_code_of

__all__ = ["Stage"]

_log = logging.getLogger(__name__)

SETTLE_S = 20.0
"""How long the last events may take to the centre and back."""

_LOOK_S = 0.02


def _config(state_dir: Path, listening: Listening, bounce_ms: int) -> Config:
    station = StationSettings(id=STATION, scanners=(), indicator=NoIndicatorSettings(), buttons={})
    return Config(
        kiosk=KioskSettings.model_validate({"site": SITE, "id": KIOSK, "state_dir": str(state_dir)}),
        mqtt=MqttSettings(
            host=HOST, port=listening.port, protocol=5 if listening.protocol == 5 else 311, tls=False
        ),
        uplink=UplinkSettings(confirm="consumer"),
        workflow=WorkflowSettings(bounce_ms=bounce_ms),
        stations=(station,),
    )  # fmt: skip


class Stage:
    """One demonstration. `fd` is where scans are typed, a terminal or a pipe.

    `run` the kiosk in the main thread; when the input is over and everything delivered, it ends by itself.
    """

    def __init__(self, *, state_dir: Path, listening: Listening, fd: int, bounce_ms: int, board: Board) -> None:
        self.board = board
        self.central = Central(listening, on_arrival=board.arrived)
        self.journal_dir = state_dir / "journal"
        self._broker = listening.name
        self._scanner = TypedScanner(
            fd=fd, board=board, spell=self._spell, is_ready=self._is_ready, on_end=self.leave
        )  # fmt: skip
        self._indicator = DrawnIndicator(board, on_signal=self._scanner.answered)
        self._daemon = Daemon(
            _config(state_dir, listening, bounce_ms),
            scanners={STATION: [self._scanner]},
            indicators={STATION: self._indicator},
        )

    def run(self) -> int:
        """Open the centre, run the kiosk to its end, close the centre; the kiosk's exit code. Raises KioskError."""
        try:
            self.central.start()
            self._daemon.run()
        except PartFailed as exc:
            _log.critical("a bug ends the demonstration", exc_info=exc)
            return exit_code_of(exc)
        else:
            return ExitCode.OK
        finally:
            self.board.close()
            self._indicator.close()
            self.central.stop()

    def leave(self) -> None:
        """End the kiosk once everything is delivered. From any thread, at once."""
        threading.Thread(target=self._leave, name="demo end", daemon=True).start()

    def settle(self, timeout_s: float = SETTLE_S) -> None:
        """Wait until the kiosk knows everything delivered, the centre fails, or the time is over."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until and not self.board.is_closed and self.central.failed is None:
            look = self._daemon.look()
            if look is not None and look.uplink.backlog == 0:
                return
            self.board.wait_for(lambda: False, _LOOK_S)

    def view(self) -> View | None:
        """What there is to see; none before the kiosk is put together."""
        look = self._daemon.look()
        return None if look is None else view_of(look, self.board.glimpse(), self._broker)

    def hint(self) -> Hint | None:
        """What can be scanned next; none before the kiosk is put together."""
        look = self._daemon.look()
        return None if look is None else hint_of(look.state, STATION)

    def _leave(self) -> None:
        self.settle()
        self._daemon.stop("the demonstration is over")

    def _spell(self, text: str) -> Typed:
        look = self._daemon.look()
        return typed_of(text, None if look is None else look.state.station(STATION).order)

    def _is_ready(self) -> bool:
        """Whether the kiosk has been told everything by the centre."""
        look = self._daemon.look()
        if look is None:
            return False
        catalogue = look.catalogue
        return catalogue.operators is not None and catalogue.boxes is not None and len(catalogue) == len(ORDERS)

"""The demo's kiosk: the real daemon, with a scanner that reads typed words and an indicator that prints."""

import threading
import time
from collections.abc import Callable
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
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.daemon.root import Daemon
from agent.demo.broker import HOST, PROTOCOL
from agent.demo.console import Answer
from agent.demo.sample import KIOSK, ORDERS, SITE, STATION, Shelf, shelf_of_manifest
from agent.drivers.indicators.indicator import SignalsOnly
from agent.drivers.scanners.framing import Framer
from agent.drivers.scanners.scanner import Scanner
from agent.runtime.log import escape
from agent.workflow.state import State

__all__ = ["DemoKiosk"]

_ANSWER_S = 10.0
_SETTLE_S = 20.0
"""How long the last events may take to the centre and back."""
_POLL_S = 0.01


class _TypedScanner(Scanner):
    """A scanner for people without one."""

    def __init__(self) -> None:
        super().__init__(name="typed", description="typed", framer=Framer(b"\n", None))

    def scan(self, code: str) -> None:
        """Scan a code. Any thread may call this, once the scanner is started."""
        self._running.call_soon_threadsafe(self._take, code.encode("utf-8", "surrogateescape") + b"\n")

    def _begin(self) -> None:
        self._up("typed")

    def _end(self) -> None:
        pass

    def _hold(self) -> None:
        pass

    def _go_on(self) -> None:
        pass


class _PrintingIndicator(SignalsOnly):
    def __init__(self, on_signal: Callable[[Signal, Reason | None, int], None]) -> None:
        super().__init__()
        self._on_signal = on_signal

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        self._on_signal(signal, reason, pending)


class DemoKiosk:
    """One kiosk with one station. `run` it in the main thread, and scan from another one.

    `on_signal` is called with every signal, in the thread that shows it: it must only hand over. `is_told` says whether
    the event of a sequence has come back from the centre. It is ready once it knows that many `orders`.
    """

    def __init__(
        self,
        state_dir: Path,
        port: int,
        *,
        name: str = KIOSK,
        orders: int = len(ORDERS),
        bounce_ms: int,
        on_signal: Callable[[Answer], None],
        is_told: Callable[[int], bool],
    ) -> None:
        self.journal_dir = state_dir / "journal"
        self.answered = 0
        self.alarms = 0
        """How many signals came without a scan."""
        self.is_over = False
        self._on_signal = on_signal
        self._is_told = is_told
        self._orders = orders
        self._changed = threading.Condition()
        self._asked: str | None = None
        self._answer: Answer | None = None
        self._scanner = _TypedScanner()
        self._daemon = Daemon(
            _config(state_dir, port, name, bounce_ms),
            scanners={STATION: [self._scanner]},
            indicators={STATION: _PrintingIndicator(self._signalled)},
        )

    def run(self) -> None:
        """Run the daemon until `stop`, SIGTERM or SIGINT; it raises what the daemon raises."""
        try:
            self._daemon.run()
        finally:
            with self._changed:
                self.is_over = True
                self._changed.notify_all()

    def stop(self) -> None:
        """End the daemon. From any thread."""
        self._daemon.stop("the demo is over")

    def wait_ready(self) -> bool:
        """Wait until the kiosk knows its operators, box sizes and orders; return False if it ends before."""
        while not self.is_over:
            look = self._daemon.look()
            if look is not None:
                catalogue = look.catalogue
                lists = (catalogue.operators, catalogue.boxes)
                if None not in lists and len(catalogue) >= self._orders and self._scanner.connected:
                    return True
            self.rest(_POLL_S)
        return False

    def wait_order(self, order: str) -> bool:
        """Wait until the kiosk has the manifest of an order; return False if it ends before."""
        while not self.is_over:
            look = self._daemon.look()
            if look is not None and order in look.catalogue.orders_by_code(order):
                return True
            self.rest(_POLL_S)
        return False

    def scan(self, typed: str, code: str) -> Answer | None:
        """Scan a code and return its signal; None if the kiosk ends, or does not answer in ten seconds."""
        with self._changed:
            self._asked, self._answer = escape(typed), None
            self._scanner.scan(code)
            self._changed.wait_for(lambda: self._answer is not None or self.is_over, _ANSWER_S)
            return self._answer

    def wait_alarm(self, after: int) -> bool:
        """Return whether more than `after` alarms have come in ten seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.alarms > after or self.is_over, _ANSWER_S)
            return self.alarms > after

    def settle(self) -> bool:
        """Wait until the centre has acknowledged and told every event; return whether it has, in twenty seconds."""
        until = time.monotonic() + _SETTLE_S
        while time.monotonic() < until and not self.is_over:
            look = self._daemon.look()
            if look is not None and look.uplink.backlog == 0:
                last = look.uplink.last_sequence
                if last == 0 or self._is_told(last):
                    return True
            self.rest(_POLL_S)
        return False

    def rest(self, seconds: float) -> None:
        """Pause, but not beyond the kiosk's end."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_over, seconds)

    def state(self) -> State:
        """Return the kiosk's state; an empty one before it is ready."""
        look = self._daemon.look()
        return State() if look is None else look.state

    def shelf(self) -> Shelf:
        """Return what can be scanned for the order that is open at the station."""
        state = self.state()
        order = state.station(STATION).order
        return shelf_of_manifest(None if order is None else state.orders[order].manifest)

    def _signalled(self, signal: Signal, reason: Reason | None, pending: int) -> None:
        with self._changed:
            answer = Answer(typed=self._asked, signal=signal, reason=reason, pending=pending)
            self._on_signal(answer)
            if answer.typed is None:
                self.alarms += 1
            else:
                self.answered += 1
                self._answer = answer
            self._asked = None
            self._changed.notify_all()


def _config(state_dir: Path, port: int, name: str, bounce_ms: int) -> Config:
    station = StationSettings(id=STATION, scanners=(), indicator=NoIndicatorSettings(), buttons={})
    return Config(
        kiosk=KioskSettings.model_validate({"site": SITE, "id": name, "state_dir": str(state_dir)}),
        mqtt=MqttSettings(host=HOST, port=port, protocol=PROTOCOL, tls=False),
        uplink=UplinkSettings(confirm="consumer"),
        workflow=WorkflowSettings(bounce_ms=bounce_ms),
        stations=(station,),
    )

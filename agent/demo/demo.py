"""The demo from its start to its end. Everything is temporary: the state directory, the broker, the centre."""

import io
import signal
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TextIO

from agent.demo.broker import running_broker
from agent.demo.centre_process import DemoCentre
from agent.demo.console import Console
from agent.demo.event_summary import EventSummary
from agent.demo.fraud_desk import hold
from agent.demo.interactive import type_in
from agent.demo.kiosk import DemoKiosk
from agent.demo.play import PlayFailed, play
from agent.demo.proof import missing_from, read_journal
from agent.demo.sample import ORDERS, STOLEN
from agent.demo.script import SCENES
from agent.exit_codes import ExitCode
from agent.runtime import log

__all__ = ["run"]

_STDIN = 0
_BOUNCE_MS = 500
_PACE_S = 0.7


def run(*, is_play: bool, out: TextIO | None = None) -> int:
    """Scan what is typed until the input ends, or with `is_play` play the script; return the exit code.

    `out` is standard output by default. Logs are printed only if something goes wrong. Raises KioskError if there is
    no broker.
    """
    out = sys.stdout if out is None else out
    logs = io.StringIO()
    log.configure(logs)
    _end_on_signals()
    with TemporaryDirectory(prefix="kiosk-agent-demo-") as name:
        with running_broker() as port, Console(out) as console, _centre(Path(name), port, console) as centre:
            console.say(f"board  {centre.sign_in_link}   (signs in once)")
            # Words from a pipe may repeat at once: no scanner reads a label twice there.
            bounce_ms = _BOUNCE_MS if is_play or sys.stdin.isatty() else 0
            kiosk = DemoKiosk(
                Path(name) / "state",
                port,
                bounce_ms=bounce_ms,
                on_signal=console.signal,
                is_told=centre.has_told,
            )
            driver = _Driver(kiosk, console, is_play=is_play)
            driver.start()
            try:
                kiosk.run()
            except Exception:
                print(logs.getvalue(), file=sys.stderr)
                raise
            _end_on_signals()  # asyncio has put back the interpreter's own handlers
            driver.finish()
            packed = centre.packed() if is_play else frozenset()
        code = _sum_up(kiosk, centre, packed, driver if is_play else None, out)
    if code == ExitCode.BUG:
        print(logs.getvalue(), centre.log(), sep="\n", file=sys.stderr)
    return code


def _centre(directory: Path, port: int, console: Console) -> DemoCentre:
    def take(event: EventSummary) -> None:
        if event.kind == "scan.accepted" and event.unit == STOLEN and event.order is not None:
            hold(port, event.order, event.unit)
        console.event(event)

    return DemoCentre(directory, port, on_event=take)


class _Driver:
    """The thread that scans while the main thread runs the kiosk. `problem` is what went wrong in the play."""

    def __init__(self, kiosk: DemoKiosk, console: Console, *, is_play: bool) -> None:
        self.is_complete = False
        self.problem: str | None = None
        self._kiosk = kiosk
        self._console = console
        self._is_play = is_play
        self._thread = threading.Thread(target=self._run, name="demo driver", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Wait for the play to notice that the kiosk is over. Nothing ends the wait for a key, so typing is left."""
        if self._is_play:
            self._thread.join()

    def _run(self) -> None:
        try:
            if self._kiosk.wait_ready():
                self._act()
                self._kiosk.settle()
        except PlayFailed as exc:
            self.problem = str(exc)
        finally:
            self._kiosk.stop()

    def _act(self) -> None:
        if not self._is_play:
            type_in(self._kiosk, self._console, _typed_lines())
            return
        pace_s = _PACE_S if self._console.is_terminal else 0.0
        self.is_complete = play(self._kiosk, self._console, SCENES, pace_s=pace_s, bounce_s=_BOUNCE_MS / 1000)


def _typed_lines() -> Iterator[bytes]:
    # Unbuffered: a buffered reader would hold a lock that the interpreter needs when it exits.
    with open(_STDIN, "rb", buffering=0, closefd=False) as lines:
        try:
            yield from lines
        except OSError:  # the terminal is gone
            return


def _sum_up(
    kiosk: DemoKiosk, centre: DemoCentre, packed: Collection[str], driver: _Driver | None, out: TextIO
) -> ExitCode:
    """Say how much of the journal the centre has stored; return the exit code. `packed` and `driver` are the play's."""
    journal, damages = read_journal(kiosk.journal_dir)
    if driver is None:
        out.write(f"Of {len(journal)} events in the journal, the centre has stored {len(centre.stored())}.\n")
        return ExitCode.OK
    if not driver.is_complete and driver.problem is None:
        out.write("The play was interrupted.\n")
        return ExitCode.INTERRUPTED
    orders = [str(order["order"]) for order in ORDERS]
    missing = missing_from(centre.stored(), journal, packed=packed, orders=orders)
    problems = [*filter(None, (driver.problem, centre.failed)), *damages, *missing]
    if problems:
        out.write("".join(f"MISSING  {problem}\n" for problem in problems))
        return ExitCode.BUG
    out.write(
        f"All {kiosk.answered} scans were answered as they should be.\n"
        f"All {len(journal)} events of the journal are stored by the centre, in sequence, byte for byte.\n"
        f"Packed: {', '.join(sorted(packed))}.\n"
    )
    return ExitCode.OK


def _end_on_signals() -> None:
    """Let SIGTERM and a closed terminal window end the demo as Ctrl-C does, so that everything is cleaned up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)

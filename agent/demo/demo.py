"""The demonstration from beginning to end: a broker, a stage, somebody to show it, and the proof that all arrived.

Everything is temporary: the state folder, the broker, the centre.
"""

import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TextIO

from agent.demo.board import Board
from agent.demo.broker import BrokerChoice, Listening, running_broker
from agent.demo.plain import PlainLines
from agent.demo.play import EVEN, FAST, SLOW, Play
from agent.demo.proof import missing_from, read_journal
from agent.demo.sample import ORDERS
from agent.demo.script import SCENES
from agent.demo.stage import Stage
from agent.demo.terminal import letter_by_letter
from agent.errors import KioskError
from agent.exit_codes import ExitCode
from agent.runtime.log import LineFormatter

__all__ = ["run"]

_STDIN = 0
_BOUNCE_MS = 500
_LOG_LINES = 200


class PictureMissing(KioskError, ImportError):
    """The library that draws the picture is not installed."""


def run(
    *, play: bool, broker: BrokerChoice = BrokerChoice.AUTO, svg: Path | None = None, out: TextIO | None = None
) -> int:
    """Show it until the input ends, or with `play` the whole script; the exit code.

    `svg` is the file for the picture of the script's portrait; `out` is standard output by default. On a terminal
    there is a picture, elsewhere there are lines. Raises KioskError where there is no broker, or nothing to draw with.
    """
    out = sys.stdout if out is None else out
    is_watched = out.isatty() and os.environ.get("TERM", "dumb") != "dumb" and (play or os.isatty(_STDIN))
    if is_watched or svg is not None:
        _need_rich()
    with (
        _interruptible(),
        TemporaryDirectory(prefix="kiosk-agent-demo-") as name,
        _kept_logs() as logs,
    ):
        directory = Path(name)
        with ExitStack() as undo:
            listening = undo.enter_context(running_broker(broker, directory))
            fd, typing_fd = _pipe(undo) if play else (_STDIN, -1)
            stage = _open_stage(undo, directory, listening, fd, out, is_watched=is_watched, is_play=play)
            played = Play(
                SCENES if play else (),
                fd=typing_fd,
                board=stage.board,
                pace=SLOW if is_watched else FAST if svg is None else EVEN,
                bounce_s=_BOUNCE_MS / 1000,
                portray=lambda: _portray(stage, svg),
                on_end=stage.leave,
            )
            if play:
                undo.callback(played.join)
                played.start()
            code = stage.run()
            # The kiosk's loop has put back the interpreter's own handlers.
            _interrupt_on_signals()
        if code != 0:
            print(*logs, sep="\n", file=sys.stderr)
            return code
        return _sum_up(stage, played if play else None, out, logs)


def _need_rich() -> None:
    # Not imported yet: drawing is needed only once everything else runs.
    if find_spec("rich") is None:
        raise PictureMissing("the demo's picture needs rich: pip install 'kiosk-agent[demo]'")


def _pipe(undo: ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe()
    undo.callback(os.close, reading)
    undo.callback(os.close, writing)
    return reading, writing


def _open_stage(
    undo: ExitStack,
    directory: Path,
    listening: Listening,
    fd: int,
    out: TextIO,
    *,
    is_watched: bool,
    is_play: bool,
) -> Stage:
    """The stage, and whoever shows it, who is there first and goes last."""
    bounce_ms = _BOUNCE_MS if is_play or os.isatty(fd) else 0  # a pipe has no trembling hand
    state_dir = directory / "state"
    if not is_watched:
        plain = PlainLines(out, with_hints=not is_play)
        stage = Stage(
            state_dir=state_dir, listening=listening, fd=fd, bounce_ms=bounce_ms, board=Board(plain.take)
        )  # fmt: skip
        plain.open(stage.hint)
        undo.callback(plain.close)
        return stage
    from agent.demo.picture import Picture

    stage = Stage(state_dir=state_dir, listening=listening, fd=fd, bounce_ms=bounce_ms, board=Board())
    undo.enter_context(letter_by_letter(_STDIN))
    picture = Picture(stage.view)
    undo.callback(picture.close)
    picture.open()
    return stage


def _portray(stage: Stage, svg: Path | None) -> None:
    if svg is None:
        return
    from agent.demo.picture import svg_of

    stage.settle()
    view = stage.view()
    if view is not None:
        svg.write_text(svg_of(view), "utf-8")


def _sum_up(stage: Stage, played: Play | None, out: TextIO, logs: Sequence[str]) -> int:
    """Say what the centre has of what the journal has; the exit code."""
    journal, damages = read_journal(stage.journal_dir)
    orders = [str(order["order"]) for order in ORDERS] if played is not None else []
    problems = missing_from(stage.central.stored(), journal, packed=stage.central.packed(), orders=orders)
    problems = [*damages, *([stage.central.failed] if stage.central.failed else []), *problems]
    if played is None:
        out.write(f"Of {len(journal)} events in the journal, the centre has stored {len(stage.central.stored())}.\n")
        return 0
    if not played.is_complete and not played.problems:
        out.write("The play was interrupted.\n")
        return ExitCode.INTERRUPTED
    problems = [*played.problems, *problems]
    if problems:
        out.write("".join(f"MISSING  {problem}\n" for problem in problems))
        print(*logs, sep="\n", file=sys.stderr)
        return ExitCode.BUG
    packed = ", ".join(sorted(stage.central.packed()))
    out.write(
        f"All {stage.board.answered} scans were answered as they should be.\n"
        f"All {len(journal)} events of the journal are stored by the centre, in sequence, byte for byte.\n"
        f"Packed: {packed}.\n"
    )
    return 0


# -- around it ---------------------------------------------------------------------------------------------------


@contextmanager
def _kept_logs() -> Iterator[deque[str]]:
    """Keep all logs off the terminal, and the newest of them at hand in case something goes wrong."""
    kept = _Kept()
    root, ours = logging.getLogger(), logging.getLogger("agent")
    before = list(root.handlers), root.level, ours.level
    root.handlers[:] = [kept]
    root.setLevel(logging.WARNING)
    ours.setLevel(logging.INFO)
    try:
        yield kept.lines
    finally:
        root.handlers[:], root.level, ours.level = before


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_LOG_LINES)
        self.setFormatter(LineFormatter(journal=False))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _interruptible() -> Iterator[None]:
    """A closed terminal window and a polite kill end the demonstration as Ctrl-C does: everything is taken down."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    _interrupt_on_signals()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt_on_signals() -> None:
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

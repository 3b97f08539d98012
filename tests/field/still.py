"""A station in memory, with time that stands still: the real driver of a scanner, its frames, and the workflow."""

import json
import os
import select
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from agent.config.settings import EvdevSettings, SerialSettings, WorkflowSettings
from agent.daemon.wiring import rules_of, scanner_of
from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode
from agent.drivers.scanners.evdev import EvdevScanner, EventNode
from agent.drivers.scanners.scanner import Scanner
from agent.scan import Frame
from harness.warehouse import BADGES
from tests.field.corpus import Answer, Row, Setup
from tests.field.notation import Pause, Piece, in_packets
from tests.workflow.bench import Bench

__all__ = ["answer_of"]

_STEP_S = 0.05
_AFTER_S = 0.5
"""Longer than the idle gap: whatever is still being read is cut short."""
_NODES_S = 1.5
"""Within a second, a new event node is open (`scanning.md`); time stands still otherwise."""


class _Timer:
    def __init__(self, at: float, act: Callable[[], object]) -> None:
        self.at = at
        self.act: Callable[[], object] | None = act

    def cancel(self) -> None:
        self.act = None


class StillLoop:
    """A loop for drivers in which time passes only when it is told to."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._timers: list[_Timer] = []
        self._readers: dict[int, Callable[[], object]] = {}

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> _Timer:
        return self.call_at(self._now, callback, *args)

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> _Timer:
        return self.call_at(self._now + delay, callback, *args)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> _Timer:
        timer = _Timer(when, lambda: callback(*args))
        self._timers.append(timer)
        return timer

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any) -> _Timer:
        return self.call_soon(callback, *args)

    def add_reader(self, fd: int, callback: Callable[..., Any], *args: Any) -> None:
        self._readers[fd] = lambda: callback(*args)

    def remove_reader(self, fd: int) -> object:
        return self._readers.pop(fd, None)

    def read(self) -> None:
        """Call for every descriptor until none is readable."""
        while ready := select.select(list(self._readers), [], [], 0)[0]:
            for fd in ready:
                if fd in self._readers:
                    self._readers[fd]()

    def pass_time(self, seconds: float) -> None:
        end = self._now + seconds
        while self._now < end:
            self._now = min(end, self._now + _STEP_S)
            for timer in sorted(self._timers, key=lambda timer: timer.at):
                if timer.at <= self._now:
                    self._timers.remove(timer)
                    if timer.act is not None:
                        timer.act()
            self.read()


class _Node(EventNode):
    """An event node over a pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @property
    def fd(self) -> int:
        return self._fd

    def grab(self) -> None:
        pass

    def close(self) -> None:
        pass


@contextmanager
def _serial(setup: Setup) -> Iterator[tuple[Scanner, Callable[[Piece], object]]]:
    """Make a serial scanner on a pseudo-terminal, and what sends bytes to it."""
    ours, theirs = os.openpty()
    try:
        tty.setraw(theirs)
        values = {"name": "field", "driver": "serial", "port": os.ttyname(theirs), **setup.scanner}
        yield scanner_of(SerialSettings.model_validate(values)), lambda piece: os.write(ours, piece.data)
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def _keyboard(setup: Setup, loop: StillLoop) -> Iterator[tuple[Scanner, Callable[[Piece], object]]]:
    """Make a keyboard wedge whose event nodes are pipes, and what sends input events to them."""
    began = loop.time()
    pipes = [os.pipe2(os.O_DIRECT | os.O_NONBLOCK) for _ in setup.nodes]
    paths = {f"/dev/input/event{number}": pipe[0] for number, pipe in enumerate(pipes, 3)}

    def present() -> Sequence[DeviceNode]:
        shown = zip(paths, setup.nodes, strict=True)
        return [
            DeviceNode(
                kind=DeviceKind.EVDEV, name="Scanner", path=path, node=path,
                vendor=0x0C2E, product=0x0B61, serial=None, usb_port="usb-0:1.2",
            )
            for path, appears in shown
            if loop.time() - began >= appears
        ]  # fmt: skip

    try:
        values = {"name": "field", "vendor": 0x0C2E, "product": 0x0B61, **setup.scanner}
        scanner = scanner_of(EvdevSettings.model_validate(values))
        assert isinstance(scanner, EvdevScanner)
        scanner._present = present
        scanner._open_node = lambda path: _Node(paths[path])

        def send(piece: Piece) -> None:
            for packet in in_packets(piece.data):
                os.write(pipes[piece.node - 1][1], packet)

        yield scanner, send
    finally:
        for pipe in pipes:
            for fd in pipe:
                os.close(fd)


def _bench(row: Row) -> Bench:
    """Bring a bench to where the row begins."""
    setup = row.setup
    bench = Bench(rules=rules_of(WorkflowSettings.model_validate({"bounce_ms": 0, **setup.workflow})))
    bench.operators(*setup.operators_list, revision=2)
    bench.block(*setup.blocked)
    manifests = setup.manifests(str(row))
    for one in manifests:
        message = dict(one)
        bench.order(message.pop("order"), *message.pop("lines"), **message)
    if setup.state != "signed_out":
        assert bench.scan(BADGES["E7"]).signal == "ok"
    if setup.state == "open":
        assert bench.scan(manifests[0]["order"]).signal == "ok"
    for code in row.before:
        reply = bench.scan(code, scanner="hand")
        assert reply.signal != "reject", (code, reply)
    return bench


def answer_of(row: Row) -> Answer:
    """Return what one row gets."""
    with ExitStack() as undo:
        bench = _bench(row)
        loop = StillLoop(bench.now)
        scanner, send = undo.enter_context(_keyboard(row.setup, loop) if row.setup.is_keyboard else _serial(row.setup))
        undo.enter_context(scanner)
        frames: list[Frame] = []
        scanner.start(loop, frames.append, lambda connected, detail: None)
        if row.setup.is_keyboard:
            loop.pass_time(max(row.setup.nodes) + _NODES_S if len(row.setup.nodes) > 1 else 0)
        for piece in row.pieces:
            if isinstance(piece, Pause):
                loop.pass_time(piece.seconds)
            else:
                send(piece)
                loop.read()
        loop.pass_time(_AFTER_S)
        shown = []
        documents: list[Mapping[str, Any]] = []
        for frame in frames:
            known = len(bench.commits)
            after = max(0.0, frame.at - bench.now)
            reply = bench.scan(frame.data, intact=frame.intact, scanner="field", after=after, no_read=frame.no_read)
            shown.append((reply.signal.value, None if reply.reason is None else reply.reason.value))
            for commit in bench.commits[known:]:
                documents += map(json.loads, commit.documents)
        return Answer(shown=shown, documents=documents)

"""One bench per driver: the scanner under test, and what a person does with it at the other end."""

import asyncio
import os
import pty
import struct
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode
from agent.drivers.scanners.evdev import EvdevScanner, EventNode, KeyboardMatch
from agent.drivers.scanners.fake_scanner import FakeScanner
from agent.drivers.scanners.keymaps import LAYOUTS
from agent.drivers.scanners.scanner import Scanner
from agent.drivers.scanners.serial import SerialScanner
from agent.runtime.event_loop import EventLoop, Loop
from agent.scan import Frame

GIVE_UP_S = 10
"""How long to wait before a test has failed. Nothing is measured by it."""

PAUSE_S = 60.0
"""Longer than any test."""


class Heard:
    """The callbacks of a scanner, which record what they are told."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.statuses: list[tuple[bool, str]] = []

    def frame(self, frame: Frame) -> None:
        self.frames.append(frame)

    def status(self, connected: bool, detail: str) -> None:
        self.statuses.append((connected, detail))

    @property
    def scans(self) -> list[tuple[bytes, bool]]:
        return [(frame.data, frame.intact) for frame in self.frames]

    async def until_frames(self, count: int) -> list[tuple[bytes, bool]]:
        await until(lambda: len(self.frames) >= count)
        return self.scans

    async def until_connected(self, connected: bool) -> str:
        """Return the first detail since the scanner was `connected` or not; a later look may have told another one."""
        await until(lambda: bool(self.statuses) and self.statuses[-1][0] is connected)
        first = len(self.statuses) - 1
        while first > 0 and self.statuses[first - 1][0] is connected:
            first -= 1
        return self.statuses[first][1]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(GIVE_UP_S):
        while not condition():
            await asyncio.sleep(0.002)


async def turns(count: int = 5) -> None:
    """Let the loop, whichever it is, look at its descriptors a few times."""
    for _ in range(count):
        await asyncio.sleep(0.002)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def _run_again_and_again(loop: EventLoop) -> None:
    """Own an event loop, as the scan path's thread does, in asyncio's spare time."""
    while True:
        loop.acquire()
        try:
            loop.run_once(0.0)
        finally:
            loop.release()
        await asyncio.sleep(0.001)


class Bench(ABC):
    """`event_loop` is the loop that runs the scanner; None: asyncio's."""

    terminator = b"\r"
    scanner: Scanner
    event_loop: EventLoop | None = None

    def start(self) -> Heard:
        heard = Heard()
        self.scanner.start(self.loop(), heard.frame, heard.status)
        return heard

    def loop(self) -> Loop:
        """Return the loop to start the scanner in; it runs."""
        loop = asyncio.get_running_loop()
        if self.event_loop is None:
            return loop
        self._turns = loop.create_task(_run_again_and_again(self.event_loop))
        return self.event_loop

    def scan(self, code: bytes) -> None:
        self.send(code + self.terminator)

    @abstractmethod
    def send(self, data: bytes) -> None: ...

    @abstractmethod
    def unplug(self) -> None: ...

    def plug_in(self) -> None:
        raise NotImplementedError

    @property
    def deadline(self) -> float | None:
        """When the half-read scan will be cut short."""
        return self.scanner._framer.deadline

    def allow_pauses(self) -> None:
        """Cut no scan short, however slow this machine is: for tests that send a scan in pieces."""
        self.scanner._framer._idle_gap_s = PAUSE_S

    def close(self) -> None:
        self.scanner.close()


class SerialBench(Bench):
    """A pseudo-terminal behind a link, like udev's by-id links. Each plugging in makes a new one."""

    def __init__(self, folder: Path, *, terminator: bytes = b"\r") -> None:
        self.link = folder / "scanner"
        self.terminator = terminator
        self.scanner = SerialScanner(name="left", port=str(self.link), terminator=terminator)
        self.master: int | None = None
        self.plug_in()

    def plug_in(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(slave))
        os.close(slave)

    def send(self, data: bytes) -> None:
        assert self.master is not None
        assert os.write(self.master, data) == len(data)

    def unplug(self) -> None:
        master, self.master = self.master, None
        if master is not None:
            os.close(master)
        self.link.unlink(missing_ok=True)

    def close(self) -> None:
        super().close()
        self.unplug()


class FakeBench(Bench):
    def __init__(self) -> None:
        self.scanner: FakeScanner = FakeScanner(name="left")

    def send(self, data: bytes) -> None:
        self.scanner.type(data)

    def unplug(self) -> None:
        self.scanner.unplug()

    def plug_in(self) -> None:
        self.scanner.plug_in()


# -- the keyboard wedge -------------------------------------------------------------------------------------------

EV_SYN, EV_KEY, EV_MSC, SYN_REPORT, SYN_DROPPED, LEFT_SHIFT, ENTER = 0, 1, 4, 0, 3, 42, 28


def event(kind: int, code: int, value: int) -> bytes:
    return struct.pack("@llHHi", 0, 0, kind, code, value)


def key(code: int, value: int) -> bytes:
    return event(EV_MSC, 4, 0x70000 + code) + event(EV_KEY, code, value) + event(EV_SYN, SYN_REPORT, 0)


def keys_of(text: bytes) -> bytes:
    """Return the key events of a scanner set to the US layout, CR as Enter."""
    events = b""
    for char in text.decode("ascii"):
        if char == "\r":
            events += key(ENTER, 1) + key(ENTER, 0)
            continue
        layout = LAYOUTS["us"]
        shifted = char not in layout.plain.values()
        code = next(code for code, on_key in (layout.shift if shifted else layout.plain).items() if on_key == char)
        events += key(LEFT_SHIFT, 1) if shifted else b""
        events += key(code, 1) + key(code, 0)
        events += key(LEFT_SHIFT, 0) if shifted else b""
    return events


class PipeNode(EventNode):
    """An event node over a pipe: the scanner reads what the bench writes."""

    def __init__(self) -> None:
        self._fd, self.writing = os.pipe()
        os.set_blocking(self._fd, False)
        self.grabbed = False
        self.before_grab = b""
        self.refuses: OSError | None = None

    @property
    def fd(self) -> int:
        return self._fd

    def grab(self) -> None:
        if self.refuses is not None:
            raise self.refuses
        if self.before_grab:
            os.write(self.writing, self.before_grab)
        self.grabbed = True

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def vanish(self) -> None:
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1


def keyboard(number: int, *, name: str = "Scanner", usb_port: str | None = "usb-0:1.2", **more: Any) -> DeviceNode:
    values: dict[str, Any] = {"vendor": 0x0C2E, "product": 0x0B61, "serial": None} | more
    node = f"/dev/input/event{number}"
    return DeviceNode(kind=DeviceKind.EVDEV, name=name, path=node, node=node, usb_port=usb_port, **values)


class EvdevBench(Bench):
    """A keyboard with one or more event nodes. Each plugging in gives it new node numbers."""

    def __init__(
        self,
        *,
        nodes: int = 1,
        match: KeyboardMatch | None = None,
        terminator: bytes = b"\r",
        gs_key: int | None = None,
    ) -> None:
        self._count = nodes
        self._number = 3
        self.present: list[DeviceNode] = []
        self.opened: list[str] = []
        self.nodes: dict[str, PipeNode] = {}
        self.scanner = EvdevScanner(
            name="left",
            match=match or KeyboardMatch(vendor=0x0C2E),
            terminator=terminator,
            gs_key=gs_key,
            present=self._present,
            open_node=self._open,
        )
        self.plug_in()

    def plug_in(self) -> None:
        self.present = [keyboard(self._number + i) for i in range(self._count)]
        self._number += self._count
        self.nodes = {one.node: PipeNode() for one in self.present}

    def appear(self, number: int, **values: Any) -> PipeNode:
        """Have one more event node appear, by default of the same device."""
        one = keyboard(number, **values)
        self.present = [*self.present, one]
        self.nodes[one.node] = PipeNode()
        return self.nodes[one.node]

    def send(self, data: bytes) -> None:
        self.send_events(keys_of(data))

    def send_events(self, events: bytes, node: int = 0) -> None:
        os.write(list(self.nodes.values())[node].writing, events)

    def unplug(self) -> None:
        self.present = []
        for node in self.nodes.values():
            node.vanish()

    def close(self) -> None:
        super().close()
        self.unplug()
        for node in self.nodes.values():
            node.close()

    def _present(self) -> Sequence[DeviceNode]:
        return self.present

    def _open(self, path: str) -> EventNode:
        self.opened.append(path)
        return self.nodes[path]

"""Typing as a scanner: words become barcodes, one at a time, and the input's end is the end."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from agent.demo.board import Board
from agent.demo.typed_scanner import TypedScanner
from agent.demo.words import Leave, Remark, Scan, Typed
from agent.scan import Frame

PATIENCE_S = 10.0


def spell(text: str) -> Typed:
    """Words of this test alone."""
    if text == "leave":
        return Leave()
    return Remark("what?") if text == "?" else Scan(text.upper())


class Desk:
    """A scanner at the end of a pipe, in a running loop."""

    def __init__(self, reading: int, writing: int, *, asks_before_ready: int = 0) -> None:
        self.board = Board()
        self.asks_before_ready = asks_before_ready
        self.codes: list[bytes] = []
        self.ends = 0
        self._changed = asyncio.Event()
        self._writing = writing
        self.scanner = TypedScanner(
            fd=reading, board=self.board, spell=spell, is_ready=self._is_ready, on_end=self._ended
        )
        self.scanner.start(asyncio.get_running_loop(), self._framed, lambda connected, detail: self._changed.set())

    def type(self, text: bytes) -> None:
        os.write(self._writing, text)

    def hang_up(self) -> None:
        os.close(self._writing)

    async def until(self, *codes: bytes, ends: int = 0) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (self.codes, self.ends) != (list(codes), ends):
                self._changed.clear()
                await self._changed.wait()

    def _is_ready(self) -> bool:
        if self.asks_before_ready == 0:
            return True
        assert self.codes == []
        self.asks_before_ready -= 1
        return False

    def _framed(self, frame: Frame) -> None:
        assert frame.intact
        self.codes.append(frame.data)
        self._changed.set()

    def _ended(self) -> None:
        self.ends += 1
        self._changed.set()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for fd in (reading, writing):
        try:
            os.close(fd)
        except OSError:
            continue


def test_a_line_waits_until_the_one_before_is_answered(pipe: tuple[int, int]) -> None:
    async def drive() -> None:
        desk = Desk(*pipe)
        with desk.scanner:
            desk.type(b"badge e7\n  \nsave\n?\nsa")
            await desk.until(b"BADGE E7")
            assert desk.board.glimpse().line == "sa"
            desk.scanner.answered()
            await desk.until(b"BADGE E7", b"SAVE")
            assert desk.board.glimpse().note == "", "what comes behind an unanswered scan waits too"
            desk.scanner.answered()
            desk.type(b"ve\n")
            await desk.until(b"BADGE E7", b"SAVE", b"SAVE")

    asyncio.run(drive())


def test_a_remark_is_no_scan(pipe: tuple[int, int]) -> None:
    async def drive() -> None:
        desk = Desk(*pipe)
        with desk.scanner:
            desk.type(b"save\n?\n\x04")
            await desk.until(b"SAVE")
            desk.scanner.answered()
            await desk.until(b"SAVE", ends=1)
            assert desk.board.glimpse().note == "what?"

    asyncio.run(drive())


@pytest.mark.parametrize("typed", [b"save\nleave\nmore\n", b"save\n\x04"])
def test_leaving_comes_after_the_last_answer(pipe: tuple[int, int], typed: bytes) -> None:
    async def drive() -> None:
        desk = Desk(*pipe)
        with desk.scanner:
            desk.type(typed)
            await desk.until(b"SAVE")
            desk.scanner.answered()
            await desk.until(b"SAVE", ends=1)

    asyncio.run(drive())


def test_the_end_of_the_input_is_the_end_and_its_last_line_counts(pipe: tuple[int, int]) -> None:
    async def drive() -> None:
        desk = Desk(*pipe)
        with desk.scanner:
            desk.type(b"save\nwhere")
            desk.hang_up()
            await desk.until(b"SAVE")
            desk.scanner.answered()
            await desk.until(b"SAVE", b"WHERE")
            desk.scanner.answered()
            await desk.until(b"SAVE", b"WHERE", ends=1)

    asyncio.run(drive())


def test_nothing_is_read_before_the_kiosk_is_ready(pipe: tuple[int, int]) -> None:
    async def drive() -> None:
        desk = Desk(*pipe, asks_before_ready=3)
        with desk.scanner:
            desk.type(b"save\n")
            assert not desk.scanner.connected
            await desk.until(b"SAVE")
            assert desk.asks_before_ready == 0
            assert desk.scanner.connected

    asyncio.run(drive())


def test_a_scanner_closed_before_the_kiosk_is_ready_reads_nothing(pipe: tuple[int, int]) -> None:
    async def drive() -> None:
        desk = Desk(*pipe, asks_before_ready=1)
        desk.type(b"save\n")
        desk.scanner.close()
        desk.scanner.close()
        desk.scanner.answered()

    asyncio.run(drive())
    assert os.read(pipe[0], 100) == b"save\n"


def test_control_characters_do_not_reach_the_board(pipe: tuple[int, int]) -> None:
    async def drive() -> None:
        desk = Desk(*pipe)
        with desk.scanner:
            desk.type(b"ab\x1d\xff\x07")
            desk.type(b"\n")
            await desk.until("AB\x1d\udcff\x07".encode("utf-8", "surrogateescape"))
            assert desk.board.glimpse().line.isprintable()

    asyncio.run(drive())

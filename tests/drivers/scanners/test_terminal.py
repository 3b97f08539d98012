import asyncio
import os
from pathlib import Path

from agent.drivers.scanners.terminal import TerminalScanner
from tests.drivers.benches import Heard, TerminalBench, run


def heard_of(fd: int) -> Heard:
    """What a scanner tells that reads a descriptor to its end."""
    heard = Heard()

    async def test() -> None:
        with TerminalScanner(fd=fd) as scanner:
            scanner.start(asyncio.get_running_loop(), heard.frame, heard.status)
            await heard.until_connected(False)

    run(test())
    return heard


def test_lines_of_a_file_are_scans_until_its_end(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_bytes(b"ZKSAVE1\r\n\nSO-1001\nhalf")
    fd = os.open(path, os.O_RDONLY)
    heard = heard_of(fd)
    os.close(fd)
    assert heard.scans == [(b"ZKSAVE1", True), (b"SO-1001", True), (b"half", False)]
    assert heard.statuses[-1] == (False, "lost: end of input")


def test_no_input_at_all_is_the_end_at_once() -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    heard = heard_of(fd)
    os.close(fd)
    assert heard.frames == []
    assert [connected for connected, _ in heard.statuses] == [True, False]


def test_descriptor_stays_open_and_blocking() -> None:
    bench = TerminalBench()

    async def test() -> None:
        heard = bench.start()
        bench.scan(b"ONE")
        await heard.until_frames(1)
        bench.scanner.close()
        assert os.get_blocking(bench.reading)

    run(test())
    bench.close()

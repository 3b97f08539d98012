"""Serial scanners, on pseudo-terminals."""

import asyncio
import errno
import os
import pty
import select
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.drivers.scanners.device_nodes import DeviceKind
from agent.drivers.scanners.serial import SerialScanner, _is_wired, ports
from agent.errors import DeviceError
from tests.drivers.benches import GIVE_UP_S, Heard, SerialBench, run, until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SerialBench]:
    bench = SerialBench(tmp_path)
    yield bench
    bench.close()


def open_descriptors() -> set[str]:
    """Return the character devices that this process has open."""
    names = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            names.add(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            continue  # the descriptor of the listing itself
    return names


def test_scan_sent_before_the_line_was_opened_is_read(bench: SerialBench) -> None:
    async def test() -> None:
        bench.send(b"EARLY\r")
        wait_for_input(bench.link)
        heard = bench.start()
        bench.scan(b"490154203237518")
        assert await heard.until_frames(2) == [(b"EARLY", True), (b"490154203237518", True)]

    run(test())


def wait_for_input(link: Path) -> None:
    """Wait until the kernel has moved the sent bytes to the scanner's end."""
    slave = os.open(link, os.O_RDONLY | os.O_NOCTTY)
    try:
        assert select.select([slave], [], [], GIVE_UP_S)[0]
    finally:
        os.close(slave)


def test_all_bytes_are_passed_unchanged_and_nothing_is_echoed(tmp_path: Path) -> None:
    bench = SerialBench(tmp_path, terminator=b"\n")
    every = bytes(byte for byte in range(256) if byte != 0x0A)

    async def test() -> None:
        heard = bench.start()
        bench.scan(every)
        assert await heard.until_frames(1) == [(every, True)]
        assert bench.master is not None
        os.set_blocking(bench.master, False)
        with pytest.raises(BlockingIOError):
            os.read(bench.master, 1)

    run(test())
    bench.close()


@pytest.mark.parametrize("terminator", [b"\n", b"\r\n", b"\t"])
def test_the_other_terminators(tmp_path: Path, terminator: bytes) -> None:
    """(`settings.md#serial-scanner`)"""
    bench = SerialBench(tmp_path, terminator=terminator)

    async def test() -> None:
        heard = bench.start()
        bench.scan(b"ONE")
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())
    bench.close()


def test_changed_link_is_followed_although_the_old_line_lives(bench: SerialBench) -> None:
    async def test() -> None:
        heard = bench.start()
        old_master = bench.master
        assert old_master is not None
        bench.plug_in()
        await until(lambda: len(heard.statuses) == 3)
        bench.scan(b"ONE")
        assert await heard.until_frames(1) == [(b"ONE", True)]
        assert [connected for connected, _ in heard.statuses] == [True, False, True]
        assert "leads to another port" in heard.statuses[1][1]
        os.close(old_master)

    run(test())


def test_dead_line_is_closed_at_once(bench: SerialBench) -> None:
    """(`faults.md#scanner-unplugged`)"""

    async def test() -> None:
        heard = bench.start()
        slave = heard.statuses[0][1]
        assert any(slave in name for name in open_descriptors())
        bench.unplug()
        await heard.until_connected(False)
        assert not any(slave in name for name in open_descriptors())

    run(test())


def test_flood_without_a_terminator_is_one_frame_and_the_line_still_works(bench: SerialBench) -> None:
    """(`faults.md#garbage-and-floods`)"""

    async def test() -> None:
        heard = bench.start()
        assert bench.master is not None
        os.set_blocking(bench.master, False)
        left = 100_000
        while left:
            try:
                left -= os.write(bench.master, b"\xa5" * min(left, 4096))
            except BlockingIOError:
                await asyncio.sleep(0)
        os.set_blocking(bench.master, True)
        await heard.until_frames(1)
        bench.scan(b"ONE")
        await heard.until_frames(2)
        assert [frame.intact for frame in heard.frames] == [False, True]

    run(test())


def test_missing_port_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="port is missing"):
        SerialScanner(name="left", port=str(tmp_path / "port")).probe()


def test_plain_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "port").write_bytes(b"ONE\r")
    with pytest.raises(DeviceError, match="not a character device"):
        SerialScanner(name="left", port=str(tmp_path / "port")).probe()


def test_device_that_epoll_does_not_take_is_a_status_and_not_left_open() -> None:
    async def test() -> None:
        heard = Heard()
        with SerialScanner(name="left", port="/dev/null") as scanner:
            assert scanner.probe() == "/dev/null"
            before = len(os.listdir("/proc/self/fd"))
            scanner.start(asyncio.get_running_loop(), heard.frame, heard.status)
            assert heard.statuses == [(False, "/dev/null cannot be read: Operation not permitted")]
            assert len(os.listdir("/proc/self/fd")) == before

    run(test())


def test_line_in_use_is_refused_and_explained(bench: SerialBench) -> None:
    async def test() -> None:
        bench.start()
        with pytest.raises(DeviceError, match="another program uses it"):
            SerialScanner(name="right", port=str(bench.link)).probe()

    run(test())


def test_impossible_baud_is_refused(bench: SerialBench) -> None:
    with pytest.raises(DeviceError, match="cannot be opened"):
        SerialScanner(name="left", port=str(bench.link), baud=-1).probe()


def test_nothing_stays_open_after_a_refused_opening(bench: SerialBench) -> None:
    before = open_descriptors()
    with pytest.raises(DeviceError):
        SerialScanner(name="left", port=str(bench.link), baud=-1).probe()
    assert open_descriptors() == before


def test_reading_nothing_from_an_open_line_is_not_the_end_of_input(bench: SerialBench) -> None:
    async def test() -> None:
        heard = bench.start()
        slave = os.open(heard.statuses[0][1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        assert termios.tcgetattr(slave)[6][termios.VMIN] in (1, b"\x01")
        with pytest.raises(BlockingIOError):
            os.read(slave, 1)
        os.close(slave)

    run(test())


def test_plugged_in_ports_are_listed() -> None:
    assert all(port.kind is DeviceKind.SERIAL and port.path for port in ports())


class Port8250:
    """A built-in port as the kernel shows it: `type` of TIOCGSERIAL, or what opening it or asking it raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.kind = 0
        self.open_raises: OSError | None = None
        self.ioctl_raises: OSError | None = None
        self.path = str(folder / "ttyS0")
        monkeypatch.setattr("agent.drivers.scanners.serial.SYS_TTY", str(folder / "sys"))
        monkeypatch.setattr("agent.drivers.scanners.serial.fcntl.ioctl", self._ioctl)
        real_open = os.open

        def opened(path: str, flags: int, *more: int, **named: int) -> int:
            if path != self.path:
                return real_open(path, flags, *more, **named)
            if self.open_raises is not None:
                raise self.open_raises
            return real_open("/dev/null", os.O_RDWR)

        monkeypatch.setattr("agent.drivers.scanners.serial.os.open", opened)

    def _ioctl(self, fd: int, request: int, data: bytes) -> bytes:
        assert (request, len(data) >= 72) == (termios.TIOCGSERIAL, True)
        if self.ioctl_raises is not None:
            raise self.ioctl_raises
        return self.kind.to_bytes(4, sys.byteorder) + data[4:]


@pytest.mark.parametrize(("kind", "wired"), [(0, False), (4, True), (32, True)])
def test_a_built_in_port_of_no_type_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: int, wired: bool
) -> None:
    """(`commands.md#scanners`)"""
    port = Port8250(monkeypatch, tmp_path)
    port.kind = kind
    before = open_descriptors()
    assert _is_wired(port.path) is wired
    assert open_descriptors() == before


@pytest.mark.parametrize(("code", "wired"), [(errno.EIO, False), (errno.ENXIO, False), (errno.EBUSY, True)])
def test_a_built_in_port_that_cannot_be_opened_does_not_exist_unless_it_is_in_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int, wired: bool
) -> None:
    """(`commands.md#scanners`)"""
    port = Port8250(monkeypatch, tmp_path)
    port.open_raises = OSError(code, os.strerror(code))
    assert _is_wired(port.path) is wired


@pytest.mark.parametrize(
    ("device", "wired"),
    [("platform/serial8250/serial8250:0/serial8250:0.1", False), ("pnp0/00:05", True), ("platform/soc/fe21", True)],
)
def test_a_built_in_port_without_permission_is_judged_by_its_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str, wired: bool
) -> None:
    port = Port8250(monkeypatch, tmp_path)
    port.open_raises = PermissionError(errno.EACCES, "Permission denied")
    (tmp_path / "devices" / device / "tty" / "ttyS0").mkdir(parents=True)
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "ttyS0").symlink_to(tmp_path / "devices" / device / "tty" / "ttyS0")
    assert _is_wired(port.path) is wired


def test_other_ports_are_not_opened_to_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise AssertionError("opened")

    with monkeypatch.context() as patched:
        patched.setattr("agent.drivers.scanners.serial.os.open", refuse)
        assert _is_wired("/dev/ttyACM0")
        assert _is_wired("/dev/ttyUSB0")


def test_a_port_without_hardware_is_explained(monkeypatch: pytest.MonkeyPatch, bench: SerialBench) -> None:
    """(`commands.md#check`)"""

    def refuse(*_: object, **__: object) -> None:
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr("agent.drivers.scanners.serial._Port", refuse)
    with pytest.raises(DeviceError, match="Input/output error: there is no hardware behind it"):
        bench.scanner.probe()


def test_an_open_line_is_one_descriptor(bench: SerialBench) -> None:
    """200 scanners must not use up the descriptors of a process."""

    async def test() -> None:
        loop = asyncio.get_running_loop()
        before = len(os.listdir("/proc/self/fd"))
        heard = Heard()
        bench.scanner.start(loop, heard.frame, heard.status)
        assert len(os.listdir("/proc/self/fd")) - before == 1

    run(test())


def test_pseudo_terminal_gone_before_the_opening_is_a_missing_device(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    (tmp_path / "port").symlink_to(os.ttyname(slave))
    os.close(slave)
    os.close(master)
    with pytest.raises(DeviceError):
        SerialScanner(name="left", port=str(tmp_path / "port")).probe()

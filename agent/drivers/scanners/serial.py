"""Scanners on a serial line: USB-CDC, USB-serial, UART, any character device, also a pseudo-terminal.

The only file that imports pyserial, which configures the line. It is read with `os.read` in the event loop.
(`settings.md#serial-scanner`)
"""

import errno
import fcntl
import os
import stat
import sys
import termios
from collections.abc import Sequence

import serial

from agent.drivers.device_access import explained
from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode, links_to, stable_path
from agent.drivers.scanners.framing import Framer, TextSettings
from agent.drivers.scanners.scanner import DeviceScanner
from agent.errors import DeviceError

__all__ = ["SerialScanner", "overhear", "ports"]

SYS_TTY = "/sys/class/tty"
_PORT_UNKNOWN = 0
_SERIAL_STRUCT_BYTES = 128  # struct serial_struct has 72 bytes at most; its first field is the type


class _Port(serial.Serial):
    """A port that keeps the bytes which arrived before it was opened: that scan needs a signal too."""

    def _reset_input_buffer(self) -> None:
        pass


class SerialScanner(DeviceScanner):
    """The scanner on a serial port, named by its node or, better, a stable link to it.

    `baud` is in bit/s; 8 data bits, no parity, 1 stop bit, no flow control. Meaningless on a pseudo-terminal.
    """

    def __init__(
        self,
        *,
        name: str,
        port: str,
        baud: int = 9600,
        terminator: bytes = b"\r",
        text: TextSettings = TextSettings(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(name=name, description=f"serial {port}", framer=Framer(terminator, text=text))
        self._port = port
        self._baud = baud
        self._fd: int | None = None
        self._node: int | None = None

    def _open(self) -> tuple[Sequence[int], str]:
        try:
            node = os.stat(self._port)
            if not stat.S_ISCHR(node.st_mode):
                raise DeviceError(f"{self._port} is not a character device")
            fd = self._open_line()
            self._node = os.fstat(fd).st_rdev
        except DeviceError:
            raise
        except FileNotFoundError as exc:
            raise DeviceError(f"{self._port} is missing") from exc
        except (OSError, ValueError, termios.error) as exc:
            self._shut()
            raise DeviceError(f"{self._port} cannot be opened: {_why(self._port, exc)}") from exc
        return (fd,), os.path.realpath(self._port)

    def _open_line(self) -> int:
        """Open the line; return a raw, non-blocking descriptor."""
        fd = os.open(self._port, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not os.isatty(fd):
            self._fd = fd
            return fd
        try:
            # `exclusive` takes an advisory lock. It lives as long as any copy of the descriptor. pyserial itself would
            # keep four pipes more, which 200 scanners cannot afford.
            with _Port(self._port, self._baud, timeout=0, exclusive=True) as line:
                self._fd = line_fd = os.dup(line.fileno())
        finally:
            os.close(fd)
        # pyserial sets VMIN to 0, so that a read without input returns nothing. Here that must mean a dead line.
        settings = termios.tcgetattr(line_fd)
        settings[6][termios.VMIN] = 1
        termios.tcsetattr(line_fd, termios.TCSANOW, settings)
        return line_fd

    def _shut(self) -> None:
        fd, self._fd = self._fd, None
        self._node = None
        if fd is not None:
            os.close(fd)

    def _gone(self) -> str | None:
        """Return why the port is no longer the open one: the link may lead elsewhere before the old port hangs up."""
        try:
            node = os.stat(self._port).st_rdev
        except OSError as exc:
            return f"{self._port}: {exc.strerror}"
        return None if node == self._node else f"{self._port} leads to another port"


def overhear(port: str, baud: int) -> serial.Serial:
    """Open a serial line, non-blocking. Raises DeviceError, also if another program has locked it."""
    try:
        return serial.Serial(port, baud, timeout=0, exclusive=True)
    except (OSError, ValueError, termios.error) as exc:
        raise DeviceError(f"{port} cannot be opened: {_why(port, exc)}") from exc


def ports() -> list[DeviceNode]:
    """Return the serial ports that exist, without built-in ports that are not wired (`commands.md#scanners`)."""
    # Imported here, because a kiosk that knows its port does not need it.
    from serial.tools import list_ports

    return [
        DeviceNode(
            kind=DeviceKind.SERIAL,
            name=port.product or port.description,
            path=stable_path(port.device, links_to(port.device, "/dev/serial")),
            node=port.device,
            vendor=port.vid,
            product=port.pid,
            serial=port.serial_number,
            usb_port=port.location,
        )
        for port in sorted(list_ports.comports(), key=lambda port: port.device)
        if _is_wired(port.device)
    ]


def _is_wired(port: str) -> bool:
    """Return whether there is hardware behind a built-in port. Most machines have /dev/ttyS0 without any.

    Only for 8250 ports (ttyS…): opening another port could move its lines, and it is there only with its hardware.
    """
    name = os.path.basename(port)
    if not name.startswith("ttyS"):
        return True
    try:
        fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        # The kernel keeps the ports that it has only made room for at a platform device.
        return "/platform/serial8250" not in os.path.realpath(f"{SYS_TTY}/{name}")
    except OSError as exc:
        return exc.errno == errno.EBUSY
    try:
        settings = fcntl.ioctl(fd, termios.TIOCGSERIAL, bytes(_SERIAL_STRUCT_BYTES))
    except OSError as exc:
        return exc.errno == errno.ENOTTY
    finally:
        os.close(fd)
    return int.from_bytes(settings[:4], sys.byteorder) != _PORT_UNKNOWN


def _why(port: str, exc: BaseException) -> str:
    """Return one line about an error, in the operating system's words if it has any."""
    code = exc.args[0] if exc.args else None
    if code == errno.EWOULDBLOCK:
        return "another program uses it"
    return explained(port, code, os.strerror(code)) if isinstance(code, int) else str(exc)

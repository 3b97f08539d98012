"""`kiosk-agent scanners --learn`: find a scanner's settings from the test barcode (`commands.md#scanners`)."""

import os
import selectors
import sys
import termios
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import TextIO

from agent.commands.scanners import stanza
from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode, device_of
from agent.drivers.scanners.enumeration import plugged_in
from agent.drivers.scanners.learning import TEST_TEXT, LearnedSettings, LetterCase, learn_bytes, learn_keys
from agent.errors import DeviceError
from agent.runtime.log import escape

__all__ = ["learn"]

PATIENCE_S = 120.0
QUIET_S = 0.6
"""A scan is over when its device has sent nothing for this long. The slowest keyboard wedges pause for 60 ms."""

_READ_BYTES = 4096
_MIN_BYTES = 8
_MIN_KEYS = 8
"""Fewer bytes or keys are no scan: somebody typed."""

_CASES = {
    LetterCase.SWAPPED: "capitals and small letters come swapped: the scanner is set for Caps Lock on; set it to off",
    LetterCase.UPPER: "small letters come as capitals: the scanner converts the case; switch that off",
    LetterCase.LOWER: "capitals come as small letters: the scanner converts the case; switch that off",
}


class _Heard:
    """What one device has sent since its last pause. A device may have several event nodes."""

    def __init__(self, device: DeviceNode) -> None:
        self.device = device
        self.data = b""
        self.quiet_at: float | None = None

    def take(self, data: bytes) -> None:
        self.data += data
        self.quiet_at = monotonic() + QUIET_S

    def learned(self) -> LearnedSettings | None:
        if self.device.kind is DeviceKind.SERIAL:
            return learn_bytes(self.data)
        return learn_keys(list(self._keys()))

    def is_scan(self) -> bool:
        if self.device.kind is DeviceKind.SERIAL:
            return len(self.data) >= _MIN_BYTES
        return sum(1 for _, value in self._keys() if value == 1) >= _MIN_KEYS

    def forget(self) -> None:
        self.data = b""
        self.quiet_at = None

    def _keys(self) -> Iterator[tuple[int, int]]:
        from agent.drivers.scanners.evdev import key_events

        return key_events(self.data)


def learn(
    out: TextIO,
    *,
    baud: int = 9600,
    patience_s: float = PATIENCE_S,
    present: Callable[[], Sequence[DeviceNode]] = plugged_in,
) -> int:
    """Wait for the test barcode from any device, and write the configuration of its scanner.

    Return 0 once it has come; 1 if it has not within `patience_s`, or if there is nothing to listen to.
    """
    with ExitStack() as opened, selectors.DefaultSelector() as selector:
        heard: dict[Hashable, _Heard] = {}
        for device in present():
            try:
                fd = _open(device, baud, opened)
            except DeviceError as exc:
                out.write(f"# {escape(str(exc))}\n")
                continue
            selector.register(fd, selectors.EVENT_READ, heard.setdefault(_key(device), _Heard(device)))
        if not heard:
            out.write(
                "There is nothing to listen to. If the daemon is running, stop it: it keeps its scanners to itself.\n"
            )
            return 1
        names = sorted({f"{escape(one.device.name)} ({escape(one.device.node)})" for one in heard.values()})
        out.write(f"# Listening to {', '.join(names)}.\n")
        out.write(f"# Scan the test barcode, a Code 128 of {TEST_TEXT}\n\n")
        out.flush()
        found = _wait(out, selector, heard, patience_s)
    _discard_typed()
    if found is None:
        out.write("No scanner has sent the test barcode.\n")
        return 1
    out.write(_report(*found, baud))
    return 0


def _open(device: DeviceNode, baud: int, opened: ExitStack) -> int:
    if device.kind is DeviceKind.SERIAL:
        from agent.drivers.scanners import serial

        line = serial.overhear(device.node, baud)
        opened.callback(line.close)
        fd: int = line.fileno()
        return fd
    from agent.drivers.scanners import evdev

    node = evdev.overhear(device.node)
    opened.callback(node.close)
    return node.fd


def _key(device: DeviceNode) -> Hashable:
    """Return the same key for all event nodes of a device; a node of an unknown device has its own."""
    return device.node if device.usb_port is None else device_of(device)


def _wait(
    out: TextIO, selector: selectors.BaseSelector, heard: dict[Hashable, _Heard], patience_s: float
) -> tuple[DeviceNode, LearnedSettings] | None:
    """Return the device that sent the test barcode. For any other barcode, write a hint to `out`."""
    until = monotonic() + patience_s
    while (now := monotonic()) < until and selector.get_map():
        due = min((one.quiet_at for one in heard.values() if one.quiet_at is not None), default=until)
        for key, _ in selector.select(max(0.0, min(due, until) - now)):
            try:
                data = os.read(key.fd, _READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if data:
                key.data.take(data)
            else:
                selector.unregister(key.fd)  # unplugged
        for one in heard.values():
            if one.quiet_at is None or monotonic() < one.quiet_at:
                continue
            if (learned := one.learned()) is not None:
                return one.device, learned
            if one.is_scan():
                out.write(f"# {escape(one.device.name)}: that was not the test barcode{_hint(one)}.\n")
                out.flush()
            one.forget()
    return None


def _hint(one: _Heard) -> str:
    if one.device.kind is DeviceKind.SERIAL:
        return ", or the line has another speed (--baud)"
    return ", or the scanner is set to a country other than us, de, fr and uk"


def _report(device: DeviceNode, learned: LearnedSettings, baud: int) -> str:
    lines = [f"# {note}" for note in _notes(learned)]
    settings = []
    if device.kind is DeviceKind.SERIAL and baud != 9600:
        settings.append(f"baud = {baud}")
    if learned.layouts:
        settings.append(f'layout = "{learned.layouts[0]}"')
    if learned.terminator is not None:
        settings.append(f'terminator = "{escape(learned.terminator)}"')
    return "\n".join([*lines, stanza(device, name="scanner-1", settings=settings)])


def _notes(learned: LearnedSettings) -> Iterator[str]:
    if len(learned.layouts) > 1:
        yield f"layout: {', '.join(learned.layouts)} are all right"
    if learned.terminator is None:
        yield "NO TERMINATOR: set the scanner to send Enter (CR) after each barcode, or no scan can be read"
    if learned.aim is not None:
        yield f"AIM symbology identifiers: on ({escape(learned.aim)})"
    else:
        yield "AIM symbology identifiers: off; switched on, they tell products from serial numbers"
    yield "Caps Lock: " + ("pressed by the scanner itself, which is harmless" if learned.caps_lock else "not pressed")
    if learned.case is not LetterCase.AS_PRINTED:
        yield f"CASE: {_CASES[learned.case]}"
    for place, text in (("before", learned.prefix), ("after", learned.suffix)):
        if text:
            yield f'ADDED TEXT: the scanner puts "{escape(text)}" {place} each barcode; switch that off'


def _discard_typed() -> None:
    """Discard what a keyboard wedge has also typed into this terminal."""
    if sys.stdin is not None and sys.stdin.isatty():
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

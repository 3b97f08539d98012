"""QEMU's machine protocol (QMP): plug devices, and type on its keyboards."""

import json
import socket
import time
from pathlib import Path
from typing import Any

__all__ = ["Qmp"]

_KEYS = {
    " ": "spc", "\n": "ret", "\t": "tab", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right",
    ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash",
}  # fmt: skip
_SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True))


class Qmp:
    """One connection. Raises RuntimeError with QEMU's text where QEMU refuses."""

    def __init__(self, path: Path, timeout_s: float = 20.0) -> None:
        until = time.monotonic() + timeout_s
        self._socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        self._socket.settimeout(timeout_s)
        self._file = self._socket.makefile("rw")
        self._events: list[dict[str, Any]] = []
        self._file.readline()
        self.command("qmp_capabilities")

    def command(self, name: str, **arguments: Any) -> Any:
        self._file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            answer = self._line()
            if "event" in answer:
                self._events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']['desc']}")
            else:
                return answer["return"]

    def type(self, text: str, gap_s: float = 0.04) -> None:
        """Type like a US scanner, with `gap_s` after every key event.

        QEMU's keyboard loses keys that come within 12 ms of the guest's time, which may pass three times slower than
        the host's.
        """
        for char in text:
            key, shift = (_SHIFTED[char], True) if char in _SHIFTED else (char.lower(), char.isupper())
            code = _KEYS.get(key, key)
            down = [("shift", True)] * shift + [(code, True)]
            for event in [*down, *((name, False) for name, _ in reversed(down))]:
                self._key(*event)
                time.sleep(gap_s)

    def plug_keyboard(self, name: str = "kbd0", port: str = "1", **options: Any) -> None:
        self.command("device_add", driver="usb-kbd", id=name, bus="xhci.0", port=port, **options)

    def plug_serial(self, name: str = "ftdi0", port: str = "2", **options: Any) -> None:
        options = {"serial": "S1", "chardev": "ser0", "always-plugged": True} | options
        self.command("device_add", driver="usb-serial", id=name, bus="xhci.0", port=port, **options)

    def unplug(self, name: str, timeout_s: float = 20.0) -> None:
        self.command("device_del", id=name)
        until = time.monotonic() + timeout_s
        while not any(one["event"] == "DEVICE_DELETED" and one["data"].get("device") == name for one in self._events):
            if time.monotonic() > until:
                raise TimeoutError(f"{name} is still plugged in")
            self._events.append(self._line())
        self._events.clear()

    def _key(self, code: str, down: bool) -> None:
        key = {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": code}}}
        self.command("input-send-event", events=[key])

    def _line(self) -> dict[str, Any]:
        line = self._file.readline()
        if not line:
            raise EOFError("QEMU has gone")
        answer: dict[str, Any] = json.loads(line)
        return answer

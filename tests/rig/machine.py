"""One virtual kiosk: boot it, and drive it from Python.

with Machine(cache, "devices") as machine:
    machine.run("uname -a"); machine.qmp.type("4006381333931\\n"); machine.line(17)
"""

import base64
import itertools
import json
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.servers import find_program
from tests.rig.boards import PC, Board, Parts
from tests.rig.qmp import Qmp

__all__ = ["GuestError", "Machine"]

_LINES = "/sys/devices/platform/gpio-sim.*/gpiochip*"


class GuestError(RuntimeError):
    """A command in the guest failed, or did not show what the test waits for."""


class Machine:
    """A guest that runs the image of `board` in `cache`; what it writes is thrown away. Context-managed.

    `name` is the folder for its sockets and logs. A PC's clock follows the instructions that it executes, or else
    `real_time`, which boots sooner. `devices` are more arguments for QEMU.
    """

    def __init__(
        self,
        cache: Path,
        name: str = "kiosk",
        *,
        board: Board = PC,
        memory_mb: int = 768,
        boot_s: float = 240.0,
        real_time: bool = False,
        devices: Sequence[str] = (),
    ) -> None:
        self.folder = cache / "run" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in [*self.folder.glob("*.sock"), *self.folder.glob("*.qcow2")]:
            old.unlink()
        self._ids = itertools.count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        self._arrived = threading.Condition()
        self._started = time.monotonic()
        disk = self.folder / "root.qcow2"
        subprocess.run(
            [find_program("qemu-img"), "create", "-q", "-f", "qcow2", "-F", "raw", "-b", cache / board.image, disk],
            check=True,
        )
        parts = Parts(cache=cache, folder=self.folder, disk=disk, memory_mb=memory_mb, real_time=real_time)
        with (self.folder / "qemu.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*board.command(parts), *devices],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._connect(boot_s)
            self.qmp = Qmp(self.folder / "qmp.sock")
        except BaseException:
            self.power_cut()
            raise
        self.boot_s = time.monotonic() - self._started

    # -- commands in the guest -----------------------------------------------------------------------------------

    def run(self, command: str, *, timeout_s: float = 120.0, check: bool = True) -> str:
        """Run a shell command and return its output, stdout and stderr. With `check`, raises GuestError if it fails."""
        answer = self._ask(timeout_s + 20, cmd=command, timeout=timeout_s)
        if "err" in answer or (check and answer["rc"]):
            raise GuestError(f"{command}: {answer}")
        return str(answer["out"])

    def start(self, command: str, log: str = "/run/rig.log") -> int:
        """Run a command in the background; return its process id."""
        return int(self._ask(30, bg=command, log=log)["pid"])

    def put(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        data = content.encode() if isinstance(content, str) else content
        answer = self._ask(60, put=path, b64=base64.b64encode(data).decode(), mode=mode)
        if "err" in answer:
            raise GuestError(f"{path}: {answer['err']}")

    def get(self, path: str) -> bytes:
        answer = self._ask(60, get=path)
        if "err" in answer:
            raise GuestError(f"{path}: {answer['err']}")
        return base64.b64decode(answer["b64"])

    def until(self, command: str, wanted: str | None = None, *, timeout_s: float = 60.0) -> str:
        """Repeat a command until it succeeds, with `wanted` in its output if that is given."""
        until = time.monotonic() + timeout_s
        while True:
            answer = self._ask(timeout_s + 20, cmd=command, timeout=timeout_s)
            if answer.get("rc") == 0 and (wanted is None or wanted in answer["out"]):
                return str(answer["out"])
            if time.monotonic() > until:
                raise GuestError(f"{command}: waited for {wanted!r}, last {str(answer)[-800:]}")
            time.sleep(0.2)

    def pause(self, seconds: float) -> None:
        """Wait by the guest's clock, which is slower than the host's while the guest works."""
        self.run(f"sleep {seconds}", timeout_s=60 + 20 * seconds)

    # -- what is outside the guest -------------------------------------------------------------------------------

    def line(self, pin: int) -> int:
        """Return a GPIO line's value."""
        return int(self.run(f"cat {_LINES}/sim_gpio{pin}/value"))

    def pull(self, pin: int, *, up: bool) -> None:
        """Pull a GPIO line from outside, as a push-button does."""
        self.run(f"echo pull-{'up' if up else 'down'} > $(echo {_LINES}/sim_gpio{pin}/pull)")

    def serial(self) -> socket.socket:
        """Connect to the far end of the USB serial adapter."""
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(self.folder / "serial.sock"))
        return line

    def power_cut(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.power_cut()

    # -- the line to the guest -----------------------------------------------------------------------------------

    def _connect(self, boot_s: float) -> None:
        until = time.monotonic() + boot_s
        self._socket = socket.socket(socket.AF_UNIX)
        while True:
            self._check_alive()
            try:
                self._socket.connect(str(self.folder / "agent.sock"))
                break
            except OSError:
                time.sleep(0.05)
        threading.Thread(target=self._read, daemon=True).start()
        while not self._wait_for(0, 0.5):
            self._check_alive()
            if time.monotonic() > until:
                raise GuestError("the guest does not come up: " + self._console())

    def _check_alive(self) -> None:
        if self.process.poll() is not None:
            raise GuestError("QEMU has ended: " + (self.folder / "qemu.log").read_text("utf-8", "replace"))

    def _console(self) -> str:
        return (self.folder / "console.log").read_text("utf-8", "replace")[-2000:]

    def _ask(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.sendall((json.dumps({"id": number, **request}) + "\n").encode())
        if not self._wait_for(number, timeout_s):
            raise GuestError(f"no answer to {str(request)[:200]}")
        return self._answers.pop(number)

    def _wait_for(self, number: int, timeout_s: float) -> bool:
        with self._arrived:
            return self._arrived.wait_for(lambda: number in self._answers, timeout_s)

    def _read(self) -> None:
        try:
            for text in self._socket.makefile("r", errors="replace"):
                if not text.startswith("{"):
                    continue  # from the console, which may share the line
                answer = json.loads(text)
                with self._arrived:
                    self._answers[answer["id"]] = answer
                    self._arrived.notify_all()
        except OSError:
            return  # the machine is off

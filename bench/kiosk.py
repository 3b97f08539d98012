"""The measured kiosk: the real daemon as a process, a pseudo-terminal for a scanner, the `jsonl` indicator's lines."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.site import DEADLINE_S, KIOSK, MEMORY, REPOSITORY, SITE
from harness.settings import toml

__all__ = ["Kiosk"]

READY_S = 300.0
_LOOK_S = 0.0002
_SHORTEST_LINE = len('{"station": "1", "signal": "ok", "reason": null, "monotonic_ns": 1}\n')


class Kiosk:
    """One kiosk with one station, one scanner and the `jsonl` indicator.

    The indicator's file is kept off the measured disk. `wrapper` goes before the daemon's command (strace, perf).
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        python: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.state_dir = directory / "state"
        self.config = directory / "agent.toml"
        self.log = directory / "daemon.log"
        self._environment = dict(environment or {})
        self._wrapper = [*wrapper]
        self._python = [*python]
        self._process: subprocess.Popen[bytes] | None = None
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._own = Path(tempfile.mkdtemp(prefix="bench-", dir=MEMORY))
        self._signals = self._own / "signals.jsonl"
        self._shown_fd = os.open(self._signals, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(self._own / "notify"))
        self._read_to = 0
        self._counted_to, self._counted = 0, 0
        whole = {
            "kiosk": {"site": SITE, "id": KIOSK, "state_dir": str(self.state_dir)},
            "mqtt": {"host": "127.0.0.1", "port": port, "tls": False},
            "station": [
                {
                    "id": "1",
                    "scanner": [{"name": "left", "driver": "serial", "port": os.ttyname(self._slave)}],
                    "indicator": {"driver": "jsonl", "path": str(self._signals)},
                }
            ],
            **(settings or {}),
        }
        self.config.write_text(toml(whole))

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the daemon does not run")
        return self._process.pid

    def start(self) -> float:
        """Start the daemon; seconds from its exec to READY=1."""
        environment = {
            **{key: value for key, value in os.environ.items() if key not in ("WATCHDOG_USEC", "JOURNAL_STREAM")},
            "NOTIFY_SOCKET": str(self._own / "notify"),
            **self._environment,
        }
        command = [*self._wrapper, sys.executable, *self._python, "-m", "agent", "run", "--config", str(self.config)]
        self._notify.settimeout(READY_S)
        with self.log.open("ab") as log:
            began = time.monotonic()
            self._process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
            try:
                while b"READY=1" not in self._notify.recv(4096):
                    pass
            except TimeoutError:
                raise RuntimeError(f"the daemon does not get ready:\n{self.log.read_text()[-2000:]}") from None
            return time.monotonic() - began

    def stop(self) -> None:
        """End it as systemd does. Twice is fine."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        self.kill()
        os.close(self._master)
        os.close(self._slave)
        self._notify.close()
        os.close(self._shown_fd)
        shutil.rmtree(self._own, ignore_errors=True)

    # -- scanning --------------------------------------------------------------------------------------------------

    def write(self, code: bytes) -> int:
        """Scan a code; the monotonic nanosecond before its last bytes went into the pseudo-terminal."""
        at = time.monotonic_ns()
        os.write(self._master, code + b"\r")
        return at

    def await_signals(self, count: int, deadline_s: float = DEADLINE_S) -> None:
        """Return once `count` signals have been shown behind those that `signals` gave last; the kiosk is not asked."""
        smallest = self._read_to + count * _SHORTEST_LINE
        end = time.monotonic() + deadline_s
        while (size := self._size()) < smallest or self._shown(size) < count:
            if time.monotonic() > end or self._process is None or self._process.poll() is not None:
                raise TimeoutError(f"{self._shown(size)} of {count} signals came; {self.log.read_text()[-1500:]}")
            time.sleep(_LOOK_S)

    def _size(self) -> int:
        """Bytes of signals so far. Not by stat(2): since Linux 6.13 who looks at a file's times makes all files' times
        finer, and the kiosk's next flush would have its journal's to write because it was watched."""
        return os.lseek(self._shown_fd, 0, os.SEEK_END)

    def _shown(self, size: int) -> int:
        """How many lines there are up to byte `size` behind those that `signals` gave."""
        more = os.pread(self._shown_fd, size - self._counted_to, self._counted_to)
        self._counted += more.count(b"\n")
        self._counted_to += len(more)
        return self._counted

    def signals(self, count: int, deadline_s: float = DEADLINE_S) -> list[dict[str, Any]]:
        """The next `count` signals, waited for."""
        self.await_signals(count, deadline_s)
        data = os.pread(self._shown_fd, self._counted_to - self._read_to, self._read_to)
        lines = data.splitlines(keepends=True)[:count]
        self._read_to += sum(map(len, lines))
        self._counted_to, self._counted = self._read_to, 0
        return [json.loads(line) for line in lines]

    def scan(self, *codes: str) -> list[str]:
        """Scan codes one after the other, each when the one before has its signal; the signals' names."""
        found = []
        for code in codes:
            self.write(code.encode())
            found.append(str(self.signals(1)[0]["signal"]))
        return found

    def expect(self, expected: str, *codes: str) -> None:
        """Scan codes that must all have this signal."""
        found = self.scan(*codes)
        if any(name != expected for name in found):
            raise RuntimeError(f"{codes} gave {found}, not {expected}")

    def status(self) -> dict[str, Any]:
        """What `kiosk-agent status --json` shows."""
        done = subprocess.run(
            [sys.executable, "-m", "agent", "status", "--json", "--config", str(self.config)],
            cwd=REPOSITORY,
            capture_output=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

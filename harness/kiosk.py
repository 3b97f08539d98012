"""A real kiosk: its configuration, its state on disk, and the daemon as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from harness.models import Event, event_of
from harness.service_manager import ServiceManager
from harness.settings import toml
from harness.station import OperatorStation
from harness.waiting import DEADLINE_S

__all__ = ["REPOSITORY", "Kiosk"]

REPOSITORY = Path(__file__).resolve().parents[1]


class Kiosk:
    """One kiosk in `directory`. Context-managed: the daemon is killed at the end if it still runs.

    `port` is the broker's on the loopback. `settings` are tables of the configuration, merged into what every kiosk
    has. `environment` is added to the processes' environment. `wrapper` goes before the daemon's command (strace, a
    control group).
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        stations: Sequence[OperatorStation],
        *,
        name: str = "dock-3",
        site: str = "rtm1",
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.name = name
        self.site = site
        self.stations = stations
        self.state_dir = directory / "state"
        self.state_dir.mkdir(parents=True)
        self.settings: dict[str, Any] = {
            "kiosk": {"site": site, "id": name, "state_dir": str(self.state_dir)},
            "mqtt": {"host": "127.0.0.1", "port": port, "tls": False},
        }
        for table, values in (settings or {}).items():
            self.settings[table] = {**self.settings.get(table, {}), **values}
        self.settings["station"] = [station.settings() for station in stations]
        self.environment = dict(environment or {})
        self.config = directory / "agent.toml"
        self.configure()
        self._wrapper = list(wrapper)
        self._manager = ServiceManager()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "daemon.log"
        for station in stations:
            station.indicator.is_writer_alive = self.alive

    @property
    def source(self) -> str:
        """The source of this kiosk's events."""
        return f"/kiosk/{self.site}/{self.name}"

    def configure(self) -> None:
        """Write `settings` to the configuration file."""
        self.config.write_text(toml(self.settings))

    # -- the daemon --------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("WATCHDOG_USEC", "JOURNAL_STREAM")}
        return {**kept, "NOTIFY_SOCKET": self._manager.path, "PYTHONFAULTHANDLER": "1", **self.environment}

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "agent", *arguments, "--config", str(self.config)]

    def spawn(self) -> None:
        """Start the daemon and return at once."""
        assert not self.alive(), "the daemon runs already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._wrapper, *self._command("run")],
                cwd=REPOSITORY, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def limit_descriptors(self, soft: int, hard: int) -> None:
        """Start the daemon with these limits of open descriptors from now on."""
        self._wrapper = ["prlimit", f"--nofile={soft}:{hard}", *self._wrapper]

    def start(self, *, deadline_s: float = DEADLINE_S) -> float:
        """Start the daemon and return when it is ready: the seconds from its exec to READY=1."""
        before = self._manager.count
        began = time.monotonic()
        self.spawn()
        ready_at = self._manager.wait_ready(before, self.alive, deadline_s=deadline_s)
        assert ready_at is not None, f"the daemon has ended with {self.wait()}:\n{self.output()[-4000:]}"
        return ready_at - began

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the daemon was never started"
        return self._process.pid

    def wait(self, *, deadline_s: float = DEADLINE_S) -> int:
        """Wait until the daemon has ended; return its exit code (negative: the signal that ended it)."""
        assert self._process is not None, "the daemon was never started"
        return self._process.wait(deadline_s)

    def stop(self, *, deadline_s: float = DEADLINE_S) -> int:
        """Stop the daemon as systemd does; return its exit code."""
        assert self._process is not None, "the daemon was never started"
        self._process.send_signal(signal.SIGTERM)
        return self.wait(deadline_s=deadline_s)

    def kill(self) -> None:
        """Kill the daemon at once. The scanners stay as they are, with what the daemon has not read."""
        assert self._process is not None, "the daemon was never started"
        self._process.kill()
        self._process.wait()

    def cut_power(self) -> None:
        """Kill the daemon and lose what was on its way from the scanners, as in a power cut."""
        self.kill()
        for station in self.stations:
            for scanner in station.scanners.values():
                scanner.close()
                scanner.plug()

    def output(self) -> str:
        """Return what the daemon has written to standard output and error since the kiosk was made."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def resident_kib(self) -> int:
        """Return the daemon's resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def disk_bytes(self) -> int:
        """Return how much disk the state takes."""
        return sum(path.stat().st_blocks * 512 for path in self.state_dir.rglob("*") if path.is_file())

    # -- the other commands ------------------------------------------------------------------------------------

    def run(self, *arguments: str, deadline_s: float = DEADLINE_S) -> subprocess.CompletedProcess[bytes]:
        """Run `kiosk-agent ARGUMENTS… --config …` to its end."""
        return subprocess.run(
            self._command(*arguments), cwd=REPOSITORY, env=self._environment(), capture_output=True, timeout=deadline_s
        )

    def status(self) -> dict[str, Any]:
        """Return what `kiosk-agent status --json` shows."""
        done = self.run("status", "--json")
        assert done.returncode == 0, done.stderr.decode()
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def exported(self) -> list[tuple[bytes, Event]]:
        """Return the events of `journal export`: each document, and what it says."""
        done = self.run("journal", "export")
        assert done.returncode == 0, done.stderr.decode()
        return [(document, event_of(document)) for document in done.stdout.splitlines()]

    def close(self) -> None:
        if self.alive():
            self.kill()
        self._manager.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

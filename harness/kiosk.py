"""The daemon under test, as its own process, and the other commands of the product."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.broker import Broker
from harness.models import Event, event_of
from harness.station import Station
from harness.waiting import DEADLINE_S, wait_for

__all__ = ["Kiosk", "toml"]

_REPOSITORY = Path(__file__).resolve().parents[1]


def toml(settings: Mapping[str, Any], path: str = "") -> str:
    """A TOML document of tables, lists of tables, and values."""
    plain, nested = "", ""
    for key, value in settings.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            nested += f"\n[{name}]\n{toml(value, name)}"
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            nested += "".join(f"\n[[{name}]]\n{toml(item, name)}" for item in value)
        else:
            # What JSON and TOML write alike: strings without control characters, integers, booleans, lists of them.
            plain += f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
    return plain + nested


class _ServiceManager:
    """systemd's end of sd_notify(3): a datagram socket that is always read."""

    def __init__(self) -> None:
        # Of its own and short: a socket's path has room for about a hundred characters.
        self._directory = tempfile.TemporaryDirectory(prefix="kiosk-")
        self.path = f"{self._directory.name}/notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, name="service-manager", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while datagram := self._socket.recv(4096):
            self._lines += datagram.decode().splitlines()

    def count(self, line: str) -> int:
        return self._lines.count(line)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.path)
        self._reader.join(DEADLINE_S)
        self._socket.close()
        self._directory.cleanup()


class Kiosk:
    """One kiosk: its configuration, its state on disk, and the process while it runs.

    `workflow`, `uplink` and `mqtt` override single settings. Bounce suppression is off unless asked for, so that a
    test may scan one code twice.
    """

    def __init__(
        self,
        directory: Path,
        broker: Broker,
        stations: Sequence[Station],
        *,
        name: str = "dock-3",
        site: str = "rtm1",
        workflow: Mapping[str, Any] | None = None,
        uplink: Mapping[str, Any] | None = None,
        mqtt: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self.name = name
        self.site = site
        self.stations = stations
        self.state_dir = directory / "state"
        self.state_dir.mkdir(parents=True)
        self.settings: dict[str, Any] = {
            "kiosk": {"site": site, "id": name, "state_dir": str(self.state_dir)},
            "mqtt": {"host": "127.0.0.1", "port": broker.port, "tls": False, **(mqtt or {})},
            "uplink": {"ack_timeout_s": 5, **(uplink or {})},
            "workflow": {"bounce_ms": 0, **(workflow or {})},
            "station": [station.settings() for station in stations],
        }
        self.environment: dict[str, str] = {}
        """What the processes get besides the environment of the tests."""
        self.config = directory / "agent.toml"
        self.configure()
        self._manager = _ServiceManager()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "daemon.log"
        for station in stations:
            station.indicator.writer_alive = self.alive

    @property
    def source(self) -> str:
        return f"/kiosk/{self.site}/{self.name}"

    def configure(self) -> None:
        """Write the settings to the configuration file."""
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
                self._command("run"), cwd=_REPOSITORY, env=self._environment(), stdout=log, stderr=log
            )

    def start(self) -> None:
        """Start the daemon and return when it says that it is ready."""
        before = self._manager.count("READY=1")
        self.spawn()
        wait_for(lambda: self._manager.count("READY=1") > before or not self.alive(), "READY=1")
        assert self.alive(), f"the daemon ended with {self.wait()}:\n{self.output()[-4000:]}"

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def wait(self) -> int:
        """The exit code, once the daemon has ended (negative: the number of the signal that ended it)."""
        assert self._process is not None
        return self._process.wait(DEADLINE_S)

    def stop(self) -> int:
        """Ask it to end as systemd does; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut does. Whatever was on the way from the scanners is lost with it."""
        self.kill_only()
        for station in self.stations:
            for scanner in station.scanners.values():
                scanner.close()
                scanner.plug()

    def kill_only(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def output(self) -> str:
        """All that the daemon wrote to standard output and error, over all its lives."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def resident_kib(self) -> int:
        """Resident memory by now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def disk_bytes(self) -> int:
        """What the state on disk takes."""
        return sum(path.stat().st_blocks * 512 for path in self.state_dir.rglob("*") if path.is_file())

    # -- the other commands ------------------------------------------------------------------------------------

    def run(self, *arguments: str, deadline_s: float = DEADLINE_S) -> subprocess.CompletedProcess[bytes]:
        """Run `kiosk-agent …` to its end."""
        return subprocess.run(
            self._command(*arguments), cwd=_REPOSITORY, env=self._environment(), capture_output=True, timeout=deadline_s
        )

    def exported(self) -> list[tuple[bytes, Event]]:
        """`journal export`: each document as exported, and the event in it."""
        done = self.run("journal", "export")
        assert done.returncode == 0, done.stderr.decode()
        return [(document, event_of(document)) for document in done.stdout.splitlines()]

    def close(self) -> None:
        if self.alive():
            self.kill_only()
        self._manager.close()

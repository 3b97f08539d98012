"""A real centre: its configuration, its data on disk, and `kiosk-centre` as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from harness.servers import free_port
from harness.settings import toml
from harness.waiting import DEADLINE_S, wait_for

__all__ = ["REPOSITORY", "CentreProcess"]

REPOSITORY = Path(__file__).resolve().parents[1]


class CentreProcess:
    """One centre in `directory`. Context-managed: it is killed at the end if it still runs.

    `brokers` are ports of the loopback. `database_url` is SQLAlchemy's; without, the centre has its own SQLite file.
    `settings` are tables of the configuration, merged into what every centre has.
    """

    def __init__(
        self,
        directory: Path,
        brokers: Sequence[int],
        *,
        sites: Sequence[str] = ("rtm1",),
        database_url: str | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.directory = directory
        self.data_dir = directory / "data"
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.settings: dict[str, Any] = {
            "centre": {"sites": list(sites), "data_dir": str(self.data_dir)},
            "broker": [{"host": "127.0.0.1", "port": port, "tls": False} for port in brokers],
            "web": {"port": self.port},
        }
        if database_url is not None:
            self.settings["database"] = {"url": database_url}
        for table, values in (settings or {}).items():
            self.settings[table] = {**self.settings.get(table, {}), **values}
        self.config = directory / "centre.toml"
        self.configure()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "centre.log"
        self._client: httpx.Client | None = None

    def configure(self) -> None:
        """Write `settings` to the configuration file."""
        self.config.write_text(toml(self.settings))

    # -- the process -------------------------------------------------------------------------------------------------

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "centre", *arguments, "--config", str(self.config)]

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
        return {**kept, "PYTHONFAULTHANDLER": "1"}

    def spawn(self) -> None:
        """Start the centre and return at once."""
        assert not self.alive(), "the centre runs already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("run"), cwd=REPOSITORY, env=self._environment(), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip

    def start(self) -> Self:
        """Start the centre and return when it is ready."""
        self.spawn()
        self.wait_ready()
        return self

    def wait_ready(self, *, deadline_s: float = DEADLINE_S) -> None:
        """Return when the database works and a broker is connected."""

        def is_ready() -> bool:
            assert self.alive(), f"the centre has ended:\n{self.output()[-4000:]}"
            return self.is_ready()

        wait_for(is_ready, "the centre to be ready", deadline_s=deadline_s, poll_s=0.05)

    def is_ready(self) -> bool:
        """Return what /readyz says; false while nothing answers."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the centre was never started"
        return self._process.pid

    def wait(self, *, deadline_s: float = DEADLINE_S) -> int:
        """Wait until the centre has ended; return its exit code."""
        assert self._process is not None, "the centre was never started"
        return self._process.wait(deadline_s)

    def stop(self) -> int:
        """Stop the centre as systemd does; return its exit code."""
        assert self._process is not None, "the centre was never started"
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Kill the centre at once."""
        assert self._process is not None, "the centre was never started"
        self._process.kill()
        self._process.wait()

    def output(self) -> str:
        """Return what the centre has written since it was made."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def resident_kib(self) -> int:
        """Return the process's resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    # -- the other commands ------------------------------------------------------------------------------------------

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run `kiosk-centre ARGUMENTS… --config …` to its end."""
        return subprocess.run(
            self._command(*arguments), cwd=REPOSITORY, env=self._environment(), input=stdin, capture_output=True,
            timeout=DEADLINE_S * 2,
        )  # fmt: skip

    # -- REST --------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def api(self) -> httpx.Client:
        """Return a client of the REST interface that may do everything."""
        if self._client is None:
            done = self.run("token", "add", "tests", "--scope", "admin")
            assert done.returncode == 0, done.stderr.decode()
            self._client = httpx.Client(
                base_url=f"{self.url}/api/v1", timeout=DEADLINE_S,
                headers={"Authorization": f"Bearer {done.stdout.decode().strip()}"},
            )  # fmt: skip
        return self._client

    def forget_token(self) -> None:
        """Use a new token from now on: the database that knew the old one is gone."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def get(self, path: str, **parameters: str | int) -> Any:
        """Return the JSON of a resource. Raises AssertionError for any answer but 200."""
        answer = self.api().get(path, params=parameters)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def put(self, path: str, content: object) -> Any:
        """Put a resource; return the answer's JSON. Raises AssertionError if it is refused."""
        answer = self.api().put(path, json=content)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def events(self) -> list[bytes]:
        """Return the documents of all stored events, in the order of the feed."""
        found: list[bytes] = []
        parameters: dict[str, str | int] = {"limit": 1000}
        while True:
            answer = self.api().get("/events", params=parameters, headers={"Accept": "application/x-ndjson"})
            assert answer.status_code == 200, answer.text[:2000]
            page = [line for line in answer.content.split(b"\n") if line]
            if not page:
                return found
            found += page
            parameters["after"] = answer.headers["Resume-After"]

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        if self.alive():
            self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""A real PostgreSQL of our own, in a temporary folder, on a free port of the loopback."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Self

from harness.servers import free_port, listens
from harness.waiting import wait_for

__all__ = ["PostgresServer"]

_PROGRAMS = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/usr/bin")


def _program(name: str) -> str:
    """Return the path of a server program. Debian keeps them out of PATH; the newest version is used."""
    for pattern in _PROGRAMS:
        found = sorted(
            glob.glob(f"{pattern}/{name}"), key=lambda path: [int(n) for n in path.split("/") if n.isdigit()]
        )
        if found:
            return found[-1]
    raise FileNotFoundError(f"{name} is not installed: apt-get install postgresql")


class PostgresServer:
    """One server that a test starts, stops and kills as it likes; port and data stay the same.

    PostgreSQL refuses to run as root: started by root it runs as the account `postgres`. `durable` is for tests that
    kill it; without, it does not wait for the disk. `settings` are those of postgresql.conf, and replace the defaults.
    """

    def __init__(self, *, durable: bool = False, settings: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        # Not below pytest's own folder, which no other account may enter.
        self.directory = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._as_owner: list[str] = []
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
            self._as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._settings = {} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self._settings |= settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as_owner, _program(program), *arguments], capture_output=True, text=True, cwd="/", check=False
        )
        assert done.returncode == 0, f"{program}: {done.stdout[-1000:]}{done.stderr[-2000:]}"

    def start(self) -> Self:
        """Return once the server accepts connections."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.directory,
            "max_connections": 200,
            "shared_buffers": "32MB",
            **self._settings,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_owner, _program("postgres"), "-D", str(self.data), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        process = self._process

        def is_ready() -> bool:
            assert process.poll() is None, (self.directory / "log").read_text(errors="replace")[-2000:]
            if not listens(self.port):
                return False
            asked = subprocess.run([_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False)
            return asked.returncode == 0

        wait_for(is_ready, "PostgreSQL")
        return self

    def stop(self, how: int = signal.SIGINT) -> None:
        """End the server; SIGINT is its fast shutdown. No-op if it does not run."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End all its processes at once, as a crash does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def database(self, *, template: str = "template1") -> str:
        """Create a database, and return its URL for SQLAlchemy with psycopg.

        It is empty, or a copy of the database called `template`, which nobody may be using.
        """
        name = f"centre{next(self._numbers)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-T", template, name)
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def remove(self) -> None:
        """End the server and delete its folder."""
        self.stop(signal.SIGQUIT)  # without writing anything: that takes long, and nobody reads it
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.remove()

"""A real mosquitto on a free port of the loopback."""

import base64
import getpass
import hashlib
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

from harness.certificates import Certificates
from harness.waiting import wait_for

__all__ = ["Broker"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _password_line(user: str, password: str) -> str:
    """A line of mosquitto's password file: PBKDF2 with SHA-512, as mosquitto_passwd writes it."""
    salt, rounds = os.urandom(12), 101
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"{user}:$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


class Broker:
    """One mosquitto, started and ended at will, always on the same port.

    `users` maps names to passwords (none: everybody may enter), `acl` is the text of an access control file,
    `certificates` turns TLS on. With `persistent` a clean stop keeps retained messages; a kill keeps nothing
    since the last clean stop.
    """

    def __init__(
        self,
        directory: Path,
        *,
        users: dict[str, str] | None = None,
        acl: str | None = None,
        certificates: Certificates | None = None,
        persistent: bool = False,
    ) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
        assert program is not None, "the system tests need mosquitto"
        self._program = program
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self.certificates = certificates
        self.users = users or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = self._write(acl, persistent)

    def _write(self, acl: str | None, persistent: bool) -> Path:
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"user {getpass.getuser()}",
            f"allow_anonymous {'false' if self.users else 'true'}",
            # 0, for any number, makes mosquitto 2.0.11 end each connection whose publish it refuses.
            "max_queued_messages 1000000",
            "set_tcp_nodelay true",
            f"persistence {'true' if persistent else 'false'}",
        ]
        if persistent:
            lines.append(f"persistence_location {self.directory}/")
        if self.users:
            passwords = self.directory / "passwords"
            passwords.write_text("".join(_password_line(*user) for user in self.users.items()))
            passwords.chmod(0o600)
            lines.append(f"password_file {passwords}")
        if acl is not None:
            rules = self.directory / "acl"
            rules.write_text(acl)
            rules.chmod(0o600)
            lines.append(f"acl_file {rules}")
        if self.certificates is not None:
            lines += [
                f"certfile {self.certificates.server}",
                f"keyfile {self.certificates.server_key}",
            ]
        settings = self.directory / "mosquitto.conf"
        settings.write_text("\n".join(lines) + "\n")
        return settings

    def start(self) -> None:
        """Return once the port listens."""
        assert self._process is None, "the broker runs already"
        with (self.directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(self._settings)], stdout=log, stderr=log)
        wait_for(self._listens, "mosquitto to listen")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "mosquitto.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it in order (a persistent one saves its memory); nothing if it does not run."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

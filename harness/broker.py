"""A real Mosquitto on a free port of the loopback."""

import base64
import getpass
import hashlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from harness.certificates import Certificates
from harness.servers import find_program, free_port, start_server

__all__ = ["Broker"]


def _password_line(user: str, password: str) -> str:
    """Return a line of Mosquitto's password file: PBKDF2 with SHA-512, as mosquitto_passwd writes it."""
    salt, rounds = os.urandom(12), 101
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"{user}:$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


def _write_private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


class Broker:
    """One Mosquitto that a test starts and stops as it likes; the port stays the same.

    `users` maps user names to passwords; without users everybody may connect. `acl` is the text of an access control
    file. `certificates` turns TLS on. A `persistent` broker keeps retained messages over a clean stop; a kill loses
    what came after the last clean stop. `settings` are more lines of mosquitto.conf, and replace the defaults.
    """

    def __init__(
        self,
        directory: Path,
        *,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        certificates: Certificates | None = None,
        persistent: bool = False,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self._program = find_program("mosquitto")
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.certificates = certificates
        self.users = dict(users or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._config = self._configure(acl, persistent, settings or {})

    def _configure(self, acl: str | None, persistent: bool, settings: Mapping[str, object]) -> Path:
        lines: dict[str, object] = {
            "listener": f"{self.port} 127.0.0.1",
            # Started by root, Mosquitto would switch to its own user, which cannot read this folder.
            "user": getpass.getuser(),
            "allow_anonymous": "false" if self.users else "true",
            # With 0, which means no limit, Mosquitto 2.0.11 closes each connection whose publish it refuses.
            "max_queued_messages": 1_000_000,
            "set_tcp_nodelay": "true",
            "persistence": "true" if persistent else "false",
        }
        if persistent:
            lines["persistence_location"] = f"{self.directory}/"
        if self.users:
            lines["password_file"] = self._write_passwords()
        if acl is not None:
            lines["acl_file"] = _write_private(self.directory / "acl", acl)
        if self.certificates is not None:
            lines |= {"certfile": self.certificates.cert, "keyfile": self.certificates.key}
        lines |= settings
        config = self.directory / "mosquitto.conf"
        config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        return config

    def _write_passwords(self) -> Path:
        passwords = "".join(_password_line(*user) for user in self.users.items())
        return _write_private(self.directory / "passwords", passwords)

    def start(self) -> None:
        """Return once the port listens."""
        assert self._process is None, "the broker runs already"
        command = [self._program, "-c", str(self._config)]
        self._process = start_server(command, self.port, self.directory / "mosquitto.log")

    @property
    def pid(self) -> int:
        assert self._process is not None, "the broker does not run"
        return self._process.pid

    def allow(self, acl: str) -> None:
        """Replace the access control file and have the running broker read it."""
        _write_private(self.directory / "acl", acl)
        os.kill(self.pid, signal.SIGHUP)

    def set_password(self, user: str, password: str) -> None:
        """Change a user's password and have the running broker read it. It drops who has connected with the old one."""
        self.users[user] = password
        self._write_passwords()
        os.kill(self.pid, signal.SIGHUP)

    def stop(self) -> None:
        """Stop it cleanly: a persistent broker saves its retained messages. No-op if it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it: nothing is saved. No-op if it does not run."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

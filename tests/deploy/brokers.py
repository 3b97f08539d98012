"""Real brokers on the loopback, each started with the rules that ship, and with one more account that sees all."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.waiting import wait_for

__all__ = ["ACL", "OTHER_SITE", "PASSWORDS", "SITE", "mosquitto", "nats", "program"]

ACL = Path(__file__).parents[2] / "deploy" / "acl"
SITE = "rtm1"
"""The site that the files ship with."""
OTHER_SITE = "ams2"
PASSWORDS = {account: f"{account}-password" for account in ("dock-3", "oms", "consumer", "witness")}
"""`witness` may everything: it is what tells a refused message from a delivered one."""


def program(name: str) -> str | None:
    """Where a server's program is; Debian keeps them out of a user's PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _running(command: list[str], port: int, log: Path, *, secrets: Mapping[str, str] | None = None) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(secrets or {})})

    def ready() -> bool:
        assert process.poll() is None, log.read_text()
        return _listens(port)

    try:
        wait_for(ready, f"{command[0]} to listen")
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def mosquitto(directory: Path) -> Iterator[int]:
    """The rules that ship, and after them the witness'. Yields the port."""
    command, passwd = program("mosquitto"), program("mosquitto_passwd")
    assert command is not None, "the tests of the ACL files need mosquitto"
    assert passwd is not None, "the tests of the ACL files need mosquitto_passwd"
    rules, passwords, settings = (directory / name for name in ("acl", "passwords", "mosquitto.conf"))
    rules.write_text((ACL / "mosquitto.acl").read_text() + "\nuser witness\ntopic readwrite #\n")
    passwords.touch()
    for account, password in PASSWORDS.items():
        subprocess.run([passwd, "-b", str(passwords), account, password], check=True, capture_output=True)
    for private in (rules, passwords):
        private.chmod(0o600)
    port = _free_port()
    settings.write_text(
        f"listener {port} 127.0.0.1\n"
        f"user {getpass.getuser()}\n"  # as root it would go on as another, to whom the test's folder is closed
        f"allow_anonymous false\npassword_file {passwords}\nacl_file {rules}\n"
        "persistence false\nmax_queued_messages 0\nset_tcp_nodelay true\n"
    )
    with _running([command, "-c", str(settings)], port, directory / "mosquitto.log"):
        yield port


@contextmanager
def nats(directory: Path) -> Iterator[int]:
    """The fragment that ships, included, and beside it the witness. Yields the port for MQTT."""
    command = program("nats-server")
    assert command is not None
    port = _free_port()
    rules = (ACL / "nats.conf").read_text()
    end = rules.rindex("]")
    witness = f'{{ user: "witness", password: "{PASSWORDS["witness"]}" }}\n'
    (directory / "nats-kiosk.conf").write_text(f"{rules[:end]}{witness}{rules[end:]}")
    settings = directory / "nats.conf"
    settings.write_text(
        'server_name: "kiosk-acl-test"\nhost: "127.0.0.1"\nport: -1\n'  # -1: any free port
        f'jetstream: {{ store_dir: "{directory / "jetstream"}" }}\n'
        f'mqtt: {{ host: "127.0.0.1", port: {port} }}\n'
        'include "nats-kiosk.conf"\n'
    )
    secrets = {f"KIOSK_{account.upper().replace('-', '_')}": password for account, password in PASSWORDS.items()}
    with _running([command, "-c", str(settings)], port, directory / "nats.log", secrets=secrets):
        yield port

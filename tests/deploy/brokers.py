"""Real brokers on the loopback, each started with the rules that ship, and with one more account that sees all."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.system.harness.patience import wait_for

__all__ = ["ACL", "OTHER_SITE", "PASSWORDS", "SITE", "mosquitto", "nats", "program"]

ACL = Path(__file__).parents[2] / "deploy" / "acl"
SITE = "rtm1"
"""The site that the files ship with."""
OTHER_SITE = "ams2"
PASSWORDS = {account: f"{account}-password" for account in ("dock-3", "dock-4", "oms", "consumer", "witness")}
"""`witness` may everything: it is what tells a refused message from a delivered one."""


def program(name: str) -> str | None:
    """Where a server's program is; Debian keeps them out of a user's PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _running(command: list[str], ports: list[int], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)

    def ready() -> bool:
        assert process.poll() is None, log.read_text()
        return all(map(_listens, ports))

    try:
        wait_for(ready, f"{command[0]} to listen")
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def mosquitto(directory: Path) -> Iterator[Mapping[str, int]]:
    """One listener a site, as README.md says; its password file differs too. Yields each site's port."""
    command, passwd = program("mosquitto"), program("mosquitto_passwd")
    assert command is not None, "the tests of the ACL files need mosquitto"
    assert passwd is not None, "the tests of the ACL files need mosquitto_passwd"
    ports = dict(zip((SITE, OTHER_SITE), _free_ports(2), strict=True))
    # As root it would go on as another user, to whom the test's folder is closed.
    lines = ["per_listener_settings true", f"user {getpass.getuser()}", "persistence false", "max_queued_messages 0"]
    for site, port in ports.items():
        rules = (ACL / "mosquitto.acl").read_text().replace(SITE, site)
        (directory / f"{site}.acl").write_text(f"{rules}\nuser witness\ntopic readwrite #\n")
        passwords = directory / f"{site}.passwd"
        passwords.touch()
        for account, password in PASSWORDS.items():
            own = password if site == SITE else f"{site}-{password}"
            subprocess.run([passwd, "-b", str(passwords), account, own], check=True, capture_output=True)
        lines += [
            f"listener {port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {passwords}",
            f"acl_file {directory / f'{site}.acl'}",
        ]
        for private in (passwords, directory / f"{site}.acl"):
            private.chmod(0o600)
    settings = directory / "mosquitto.conf"
    settings.write_text("\n".join(lines) + "\n")
    with _running([command, "-c", str(settings)], list(ports.values()), directory / "mosquitto.log"):
        yield ports


@contextmanager
def nats(directory: Path) -> Iterator[int]:
    """The fragment that ships, included, and beside it the witness. Yields the port for MQTT."""
    command = program("nats-server")
    assert command is not None
    port, mqtt_port = _free_ports(2)
    rules = (ACL / "nats.conf").read_text()
    end = rules.rindex("]")
    witness = f'{{ user: "witness", password: "{PASSWORDS["witness"]}" }}\n'
    (directory / "kiosk-acl.conf").write_text(f"{rules[:end]}{witness}{rules[end:]}")
    settings = directory / "nats.conf"
    settings.write_text(
        f'server_name: "kiosk-acl-test"\nhost: "127.0.0.1"\nport: {port}\n'
        f'jetstream: {{ store_dir: "{directory / "jetstream"}" }}\n'
        f'mqtt: {{ host: "127.0.0.1", port: {mqtt_port} }}\n'
        f'KIOSK_OMS: "{PASSWORDS["oms"]}"\n'
        f'KIOSK_CONSUMER: "{PASSWORDS["consumer"]}"\n'
        f'KIOSK_DOCK_3: "{PASSWORDS["dock-3"]}"\n'
        'include "kiosk-acl.conf"\n'
    )
    with _running([command, "-c", str(settings)], [mqtt_port], directory / "nats.log"):
        yield mqtt_port

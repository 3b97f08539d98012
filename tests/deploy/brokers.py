"""Real brokers on the loopback, each with the rules that ship and one more account that may do everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.broker import Broker
from harness.servers import find_program, free_port, start_server

__all__ = ["ACL", "OTHER_SITE", "PASSWORDS", "SITE", "mosquitto", "nats"]

ACL = Path(__file__).parents[2] / "deploy" / "acl"
SITE = "rtm1"
"""The site in the files that ship."""
OTHER_SITE = "ams2"
PASSWORDS = {account: f"{account}-password" for account in ("dock-3", "dock-4", "oms", "consumer", "centre", "witness")}
"""`witness` may do everything: it tells a message that was refused from one that was delivered."""


@contextmanager
def mosquitto(directory: Path) -> Iterator[int]:
    """Run Mosquitto with the rules that ship, and those of the witness after them; yield its port."""
    rules = (ACL / "mosquitto.acl").read_text() + "\nuser witness\ntopic readwrite #\n"
    with Broker(directory, users=PASSWORDS, acl=rules) as broker:
        yield broker.port


@contextmanager
def nats(directory: Path) -> Iterator[int]:
    """Run nats-server with the fragment that ships, and a second kiosk and the witness added; yield its MQTT port.

    The second kiosk, dock-4, is a copy of the block of dock-3, as README.md says. Raises FileNotFoundError where
    nats-server is not installed.
    """
    command = find_program("nats-server")
    port = free_port()
    rules = (ACL / "nats.conf").read_text()
    end = rules.rindex("]")
    kiosk = rules[rules.rindex("# A kiosk, the template") : end]
    second = "\n" + kiosk.replace("dock-3", "dock-4").replace("KIOSK_DOCK_3", "KIOSK_DOCK_4")
    witness = f'{{ user: "witness", password: "{PASSWORDS["witness"]}" }}\n'
    (directory / "nats-kiosk.conf").write_text(f"{rules[:end]}{second}{witness}{rules[end:]}")
    settings = directory / "nats.conf"
    settings.write_text(
        'server_name: "kiosk-acl-test"\nhost: "127.0.0.1"\nport: -1\n'  # -1: any free port
        f'jetstream: {{ store_dir: "{directory / "jetstream"}" }}\n'
        f'mqtt: {{ host: "127.0.0.1", port: {port} }}\n'
        'include "nats-kiosk.conf"\n'
    )
    secrets = {f"KIOSK_{account.upper().replace('-', '_')}": password for account, password in PASSWORDS.items()}
    process = start_server([command, "-c", str(settings)], port, directory / "nats.log", environment=secrets)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()

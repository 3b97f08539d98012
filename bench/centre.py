"""The centre around a measured kiosk: a real broker, what is retained there, a consumer that acks, orders."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from paho.mqtt import publish

from bench.site import BADGE, DEADLINE_S, KIOSK, REPOSITORY, ROOT, SITE, TAC
from harness.codes import imei

__all__ = ["Broker", "Consumer", "Seen", "big_order", "manifest", "reference_messages", "serial_units", "tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the consumer has: how many events, their documents' bytes, monotonic times of the first and the last."""

    count: int
    bytes: int
    first_ns: int
    last_ns: int
    through: int


class Broker:
    """A mosquitto on a free loopback port, set up as docs/explanation/performance.md says; keeps nothing on disk."""

    def __init__(self, directory: Path) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise FileNotFoundError("the bench needs mosquitto")
        directory.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        settings = directory / "mosquitto.conf"
        # The consumer is to be limited by its own pace, not by a window of twenty.
        settings.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
            "max_queued_messages 0\nmax_inflight_messages 0\nlog_type error\n"
        )
        self._command = [program, "-c", str(settings)]
        self._log = directory / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Listen; nothing of before is remembered."""
        with self._log.open("ab") as log:
            process = self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        end = time.monotonic() + DEADLINE_S
        while not self._listens():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self._log.read_text())
            time.sleep(0.01)

    def stop(self) -> None:
        """Go away, and drop all connections. Twice is fine."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Consumer:
    """`bench.consumer` at work."""

    def __init__(self, port: int, kiosk: str = KIOSK) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.consumer", str(port), SITE, kiosk],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seen(self) -> Seen:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the consumer has no pipes")
        process.stdin.write("?\n")
        process.stdin.flush()
        return Seen(**json.loads(process.stdout.readline()))

    def wait(self, count: int, deadline_s: float = DEADLINE_S) -> Seen:
        """Wait until it has stored so many events."""
        end = time.monotonic() + deadline_s
        while (seen := self.seen()).count < count:
            if time.monotonic() > end:
                raise TimeoutError(f"the consumer has {seen.count} of {count} events")
            time.sleep(0.02)
        return seen

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def tell(port: int, messages: Mapping[str, object]) -> None:
    """Retain messages below the site's root, as JSON."""
    publish.multiple(
        [
            {"topic": f"{ROOT}/{topic}", "payload": json.dumps(content), "qos": 1, "retain": True}
            for topic, content in messages.items()
        ],
        port=port,
    )


def manifest(order: str, *lines: dict[str, Any], revision: int = 1) -> dict[str, Any]:
    """An open order with all roles assigned."""
    return {
        "order": order,
        "revision": revision,
        "type": "normal",
        "status": "open",
        "operators": {"picking": "E7", "packing": "E7", "shipping": "E7"},
        "lines": list(lines),
    }


def big_order(order: str, quantity: int) -> dict[str, Any]:
    return manifest(
        order, {"line": "1", "sku": "P13", "flow": "used", "serialized": True, "quantity": quantity, "tacs": [TAC]}
    )


def serial_units(first: int = 0) -> Iterator[str]:
    """IMEIs that the big order takes, each once."""
    number = first
    while number < 1_000_000:
        yield imei(TAC, number)
        number += 1


def reference_messages(*orders: dict[str, Any]) -> dict[str, object]:
    return {
        "reference/operators": {"revision": 1, "items": [{"operator": "E7", "badges": [BADGE]}]},
        "reference/boxes": {
            "revision": 1,
            "items": [{"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}],
        },
        **{f"order/{order['order']}": order for order in orders},
    }

"""The world around a measured kiosk: a real broker, a consumer, the daemon as a process, a pseudo-terminal scanner."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from paho.mqtt import publish

from tests.system.harness.codes import imei
from tests.system.harness.kiosk import toml

__all__ = [
    "DEADLINE_S",
    "KIOSK",
    "REPOSITORY",
    "ROOT",
    "SITE",
    "Broker",
    "Consumer",
    "Kiosk",
    "Scratch",
    "Seen",
    "big_order",
    "manifest",
    "reference_messages",
    "serial_units",
    "sign_in",
    "tell",
    "world",
]

REPOSITORY = Path(__file__).resolve().parents[1]
SITE = "rtm1"
KIOSK = "bench-1"
ROOT = f"kiosk/v1/{SITE}"
TAC = "49015420"
BADGE = "B7"
DEADLINE_S = 120.0
READY_S = 300.0
_SHORTEST_LINE = len('{"station": "1", "signal": "ok", "reason": null, "monotonic_ns": 1}\n')


class Scratch:
    """Folders on the disk that is measured: beside the checkout, never on a tmpfs."""

    def __init__(self, under: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=".bench-", dir=under or REPOSITORY))

    def folder(self, name: str) -> Path:
        path = self.path / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the consumer has: how many events, their documents' bytes, monotonic times of the first and the last."""

    count: int
    bytes: int
    first_ns: int
    last_ns: int
    through: int


class Broker:
    """A mosquitto on a free port of the loopback, set as docs/performance.md says, that forgets all at its end."""

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
        with (directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(settings)], stdout=log, stderr=log)
        end = time.monotonic() + DEADLINE_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((directory / "mosquitto.log").read_text())
            time.sleep(0.01)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


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


class Kiosk:
    """One kiosk with one station, one scanner and the `jsonl` indicator.

    The indicator's file is kept off the measured disk. `wrapper` goes before the daemon's command (strace, perf).
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        python: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.state_dir = directory / "state"
        self.config = directory / "agent.toml"
        self.log = directory / "daemon.log"
        self._environment = dict(environment or {})
        self._wrapper = [*wrapper]
        self._python = [*python]
        self._process: subprocess.Popen[bytes] | None = None
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
        self._own = Path(tempfile.mkdtemp(prefix="bench-", dir=memory))
        self._signals = self._own / "signals.jsonl"
        self._signals.touch()
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(self._own / "notify"))
        self._read_to = 0
        self._counted_to, self._counted = 0, 0
        whole = {
            "kiosk": {"site": SITE, "id": KIOSK, "state_dir": str(self.state_dir)},
            "mqtt": {"host": "127.0.0.1", "port": port, "tls": False},
            "station": [
                {
                    "id": "1",
                    "scanner": [{"name": "left", "driver": "serial", "port": os.ttyname(self._slave)}],
                    "indicator": {"driver": "jsonl", "path": str(self._signals)},
                }
            ],
            **(settings or {}),
        }
        self.config.write_text(toml(whole))

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the daemon does not run")
        return self._process.pid

    def start(self) -> float:
        """Start the daemon; seconds from its exec to READY=1."""
        environment = {
            **{key: value for key, value in os.environ.items() if key not in ("WATCHDOG_USEC", "JOURNAL_STREAM")},
            "NOTIFY_SOCKET": str(self._own / "notify"),
            **self._environment,
        }
        command = [*self._wrapper, sys.executable, *self._python, "-m", "agent", "run", "--config", str(self.config)]
        self._notify.settimeout(READY_S)
        with self.log.open("ab") as log:
            began = time.monotonic()
            self._process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
            try:
                while b"READY=1" not in self._notify.recv(4096):
                    pass
            except TimeoutError:
                raise RuntimeError(f"the daemon does not get ready:\n{self.log.read_text()[-2000:]}") from None
            return time.monotonic() - began

    def stop(self) -> None:
        """End it as systemd does. Twice is fine."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        self.kill()
        os.close(self._master)
        os.close(self._slave)
        self._notify.close()
        shutil.rmtree(self._own, ignore_errors=True)

    # -- scanning --------------------------------------------------------------------------------------------------

    def write(self, code: bytes) -> int:
        """Scan a code; the monotonic nanosecond before its last bytes went into the pseudo-terminal."""
        at = time.monotonic_ns()
        os.write(self._master, code + b"\r")
        return at

    def await_signals(self, count: int, deadline_s: float = DEADLINE_S) -> None:
        """Return once `count` signals have been shown behind those that `signals` gave last; the kiosk is not asked."""
        smallest = self._read_to + count * _SHORTEST_LINE
        end = time.monotonic() + deadline_s
        while (size := self._signals.stat().st_size) < smallest or self._shown(size) < count:
            if time.monotonic() > end or self._process is None or self._process.poll() is not None:
                raise TimeoutError(f"{self._shown(size)} of {count} signals came; {self.log.read_text()[-1500:]}")
            time.sleep(0.0002)

    def _shown(self, size: int) -> int:
        """How many lines there are up to byte `size` behind those that `signals` gave."""
        with self._signals.open("rb", buffering=0) as file:
            file.seek(self._counted_to)
            more = file.read(size - self._counted_to)
        self._counted += more.count(b"\n")
        self._counted_to += len(more)
        return self._counted

    def signals(self, count: int, deadline_s: float = DEADLINE_S) -> list[dict[str, Any]]:
        """The next `count` signals, waited for."""
        end = time.monotonic() + deadline_s
        while True:
            data = self._signals.read_bytes()[self._read_to :] if count else b""
            if data.count(b"\n") >= count:
                break
            if time.monotonic() > end or self._process is None or self._process.poll() is not None:
                raise TimeoutError(f"{data.count(10)} of {count} signals came; {self.log.read_text()[-1500:]}")
            time.sleep(0.002)
        lines = data.splitlines(keepends=True)[:count]
        self._read_to += sum(map(len, lines))
        self._counted_to, self._counted = self._read_to, 0
        return [json.loads(line) for line in lines]

    def scan(self, *codes: str) -> list[str]:
        """Scan codes one after the other, each when the one before has its signal; the signals' names."""
        found = []
        for code in codes:
            self.write(code.encode())
            found.append(str(self.signals(1)[0]["signal"]))
        return found

    def expect(self, expected: str, *codes: str) -> None:
        """Scan codes that must all have this signal."""
        found = self.scan(*codes)
        if any(name != expected for name in found):
            raise RuntimeError(f"{codes} gave {found}, not {expected}")

    def status(self) -> dict[str, Any]:
        """What `kiosk-agent status --json` shows."""
        done = subprocess.run(
            [sys.executable, "-m", "agent", "status", "--json", "--config", str(self.config)],
            cwd=REPOSITORY,
            capture_output=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found


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


def sign_in(kiosk: Kiosk, order: str) -> None:
    """The badge and the order, as soon as the kiosk knows both."""
    end = time.monotonic() + DEADLINE_S
    while True:
        signals = kiosk.scan(BADGE, order)
        if signals[-1] in ("ok", "again", "prompt"):
            return
        if time.monotonic() > end:
            raise TimeoutError(f"the order is not taken: {signals}")
        time.sleep(0.6)  # what was scanned last bounces


@contextmanager
def world(
    scratch: Scratch, name: str, *orders: dict[str, Any], consuming: bool = True, **kiosk_settings: Any
) -> Iterator[tuple[Kiosk, Consumer, int]]:
    """A broker with what the centre tells, a consumer that acks, and a kiosk, not yet started; and the port."""
    folder = scratch.folder(name)
    with ExitStack() as undo:
        broker = undo.enter_context(Broker(folder / "broker"))
        tell(broker.port, reference_messages(*orders))
        consumer = Consumer(broker.port)
        undo.callback(consumer.close)
        kiosk = Kiosk(folder / "kiosk", broker.port, **kiosk_settings)
        undo.callback(kiosk.close)
        yield kiosk, consumer, broker.port

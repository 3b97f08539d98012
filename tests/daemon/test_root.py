"""The composition root: each step of the start fails in turn, each part fails at work, and nothing is left behind."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.config import Config, load
from agent.contract.topics import Topics
from agent.daemon import monitor, root, station_devices
from agent.daemon.housekeeping import Housekeeping
from agent.daemon.ledger import Ledger
from agent.daemon.run_record import RunRecord
from agent.daemon.scan_path import ScanPath
from agent.daemon.status_socket import StatusSocket
from agent.drivers import buttons
from agent.drivers.indicators import gpio
from agent.errors import DeviceError, JournalBusy, JournalDamaged, JournalFault
from agent.runtime.systemd import Notifier
from agent.uplink.uplink import Uplink
from harness.broker import Broker
from harness.centre import retained
from harness.settings import toml
from harness.waiting import wait_for

DAMAGE = JournalDamaged("/state/journal/00000001.seg", 7, "bad record")
BUG = RuntimeError("the test says so")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@dataclass
class Kiosk:
    """A kiosk that is run in this process; it stops by SIGTERM as soon as it runs."""

    config: Config
    broker: Broker
    signals_file: Path

    def signals(self) -> list[str]:
        if not self.signals_file.exists():
            return []
        return [json.loads(line)["signal"] for line in self.signals_file.read_text().splitlines()]

    def status(self) -> dict[str, Any]:
        """What the broker retains as the kiosk's status."""
        topic = Topics(self.config.kiosk.site, self.config.kiosk.id).status
        found = retained(self.broker, topic)
        status: dict[str, Any] = json.loads(found[topic]) if found else {"state": None, "reason": None}
        return status


@pytest.fixture
def kiosk(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Kiosk:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    settings = {
        "kiosk": {"site": "rtm1", "id": f"dock-{abs(hash(request.node.name))}", "state_dir": str(tmp_path / "state")},
        "mqtt": {"host": "127.0.0.1", "port": broker.port, "tls": False},
        "station": [
            {
                "id": "1",
                "scanner": [{"name": "left", "driver": "serial", "port": "/dev/no-such-scanner"}],
                "indicator": {"driver": "jsonl", "path": str(tmp_path / "signals")},
                "buttons": {"save": 23, "undo": 24},
            }
        ],
    }
    file = tmp_path / "agent.toml"
    file.write_text(toml(settings))
    return Kiosk(load(file, environ={}), broker, tmp_path / "signals")


# -- what a run must not leave behind ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Leftovers:
    """What one run of the daemon could leave to the next in this process."""

    descriptors: frozenset[tuple[str, str]]
    threads: frozenset[str]
    handlers: tuple[Any, ...]
    hooks: tuple[Any, ...]
    collection: tuple[Any, ...]


def leftovers() -> Leftovers:
    gc.collect()  # what is garbage is not left behind, but it may hold a descriptor
    return Leftovers(
        descriptors=frozenset(descriptors()),
        threads=frozenset(thread.name for thread in threading.enumerate()),
        handlers=tuple(signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)),
        hooks=(threading.excepthook, sys.excepthook, sys.unraisablehook, signal.set_wakeup_fd(-1)),
        collection=(gc.isenabled(), gc.get_freeze_count(), gc.get_threshold()),
    )


def descriptors() -> Iterator[tuple[str, str]]:
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            yield fd, os.readlink(f"/proc/self/fd/{fd}")


@pytest.fixture(scope="module")
def libraries() -> None:
    """Import what the first run would import and what then stays: paho, gpiozero and its mock pins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPIOZERO_PIN_FACTORY", "mock")
        import agent.uplink.client  # noqa: F401

        gpio.open_button(1, lambda: None, bounce_s=0.01).close()


@pytest.fixture
def leaves_nothing(libraries: None) -> Iterator[None]:
    before = leftovers()
    yield
    assert leftovers() == before


def stop_when_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the daemon end itself, as systemd would end it, once everything is started."""

    def stop(*_: object) -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Notifier, "ready", stop)


# -- the steps of the start --------------------------------------------------------------------------------------------

STEPS: dict[str, tuple[object, str]] = {
    "failures end the daemon": (root, "ending_on_failures"),
    "signals end the daemon": (root, "ending_on_signals"),
    "systemd's socket": (root, "Notifier"),
    "an indicator": (root, "indicator_of"),
    "the cache": (root, "Cache"),
    "the catalogue": (root, "Catalogue"),
    "the disk reserve": (root, "DiskReserve"),
    "the journal": (root, "open_state"),
    "the fault light": (Ledger, "open"),
    "the record of the run": (RunRecord, "begin"),
    "the devices' loop": (root, "EventLoop"),
    "the queue of requests": (root, "RequestQueue"),
    "the messages of the centre": (root, "InboundMessages"),
    "the broker's settings": (root, "broker_of"),
    "the uplink": (root, "Uplink"),
    "housekeeping": (root, "Housekeeping"),
    "the scan path": (root, "ScanPath"),
    "the thread of housekeeping": (Housekeeping, "start"),
    "the reader beside the scan path": (root, "reading_as_fallback"),
    "a scanner": (station_devices, "scanner_of"),
    "a button": (buttons, "open_button"),
    "the thread of the scan path": (ScanPath, "start"),
    "the thread of the uplink": (Uplink, "start"),
    "the monitor": (monitor, "config_hash"),
    "the socket of kiosk-agent status": (StatusSocket, "__enter__"),
    "READY=1": (Notifier, "ready"),
    "garbage collection": (root, "garbage_collected_by_housekeeping"),
    "the answers to requests": (root, "RequestHandler"),
}
"""Every step that can fail, in the order of the start, and what is replaced so that it fails."""


def fail(monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(*STEPS[step], failing)


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize("step", STEPS)
def test_a_start_that_fails_tells_it_and_undoes_every_step_before(
    kiosk: Kiosk, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`commands.md#failure-at-start`, `commands.md#exit-codes`"""
    fail(monkeypatch, step, BUG)
    assert root.run(kiosk.config) == 70
    assert kiosk.signals() == ["fault"]
    status = kiosk.status()
    assert status["state"] == "failed"
    assert "the test says so" in status["reason"]


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize(
    ("step", "error", "code"),
    [
        ("an indicator", DeviceError("GPIO pin 17: in use"), 69),
        ("a button", DeviceError("GPIO pin 23: in use"), 69),
        ("the journal", DAMAGE, 3),
    ],
)
def test_a_refused_start_ends_with_its_exit_code(
    kiosk: Kiosk, step: str, error: Exception, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`commands.md#exit-codes`, `faults.md#gpio-failure`, `faults.md#damaged-journal`"""
    fail(monkeypatch, step, error)
    assert root.run(kiosk.config) == code
    assert kiosk.signals() == ["fault"]
    status = kiosk.status()
    assert status["state"] == "failed"
    assert str(error) in status["reason"]


@pytest.mark.usefixtures("leaves_nothing")
def test_a_second_daemon_leaves_lights_and_status_to_the_first(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, "the journal", JournalBusy("another daemon has it open"))
    assert root.run(kiosk.config) == 75
    assert kiosk.signals() == []
    assert kiosk.status()["state"] is None


@pytest.mark.usefixtures("leaves_nothing")
def test_a_device_that_another_daemon_has_is_no_broken_device(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`commands.md#exit-codes`"""
    monkeypatch.setattr(root, "is_running", lambda _: True)
    fail(monkeypatch, "an indicator", DeviceError("GPIO pin 17: in use"))
    assert root.run(kiosk.config) == 75
    assert kiosk.signals() == []


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize("stop", [(Housekeeping, "stop"), (RunRecord, "end"), (Ledger, "close")])
def test_a_step_back_that_fails_does_not_hide_why_the_start_failed(
    kiosk: Kiosk, stop: tuple[type, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`commands.md#failure-at-start`"""
    undo = getattr(*stop)

    def failing(*args: Any, **kwargs: Any) -> None:
        undo(*args, **kwargs)
        raise RuntimeError("this step cannot be undone")

    monkeypatch.setattr(*stop, failing)
    fail(monkeypatch, "a button", DeviceError("GPIO pin 23: in use"))
    assert root.run(kiosk.config) == 69
    assert kiosk.signals() == ["fault"]
    assert "GPIO pin 23: in use" in kiosk.status()["reason"]


@pytest.mark.usefixtures("leaves_nothing")
def test_a_disk_that_does_not_work_is_no_reason_not_to_start(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`commands.md#start-with-a-full-disk`"""
    stop_when_running(monkeypatch)
    fail(monkeypatch, "the journal", JournalFault("read-only file system"))
    assert root.run(kiosk.config) == 0
    assert kiosk.signals() == ["fault"]
    assert kiosk.status()["state"] != "failed"


# -- failures at work --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("leaves_nothing")
def test_a_clean_stop_is_zero(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_when_running(monkeypatch)
    assert root.run(kiosk.config) == 0
    assert kiosk.signals() == []
    assert json.loads((kiosk.config.kiosk.state_dir / "run.json").read_text())["ended"] == "stopped"


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_the_signals_of_systemd_and_of_a_terminal_end_it(kiosk: Kiosk, sent: signal.Signals) -> None:
    daemon = root.Daemon(kiosk.config)

    def end() -> None:
        wait_for(lambda: (look := daemon.look()) is not None and look.uplink.online, "the connection")
        os.kill(os.getpid(), sent)

    ending = threading.Thread(target=end)
    ending.start()
    daemon.run()
    ending.join()
    assert kiosk.status()["state"] == "offline"
    assert kiosk.status()["reason"] == f"signal {sent.name}"


def of_a_thread(owner: object, name: str) -> Callable[[pytest.MonkeyPatch, BaseException], None]:
    """Break something that a part of the running daemon does."""

    def break_it(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        def failing(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(owner, name, failing)

    return break_it


PARTS = {
    "the scan path": of_a_thread(ScanPath, "_tick"),
    "housekeeping": of_a_thread(Housekeeping, "_round"),
    "the uplink": of_a_thread(Uplink, "_connect_and_serve"),
    "publishing views": of_a_thread(monitor.Monitor, "view"),
    "publishing health": of_a_thread(monitor.Monitor, "health"),
}


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("error", "code"), [(BUG, 70), (JournalFault("a fault that nobody expected here"), 70), (DAMAGE, 3)]
)
def test_a_part_that_fails_ends_the_daemon(
    kiosk: Kiosk, part: str, error: Exception, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`commands.md#exit-codes`: only damage is 3, and no failure at work is 1, which systemd would not restart."""
    PARTS[part](monkeypatch, error)
    assert root.run(kiosk.config) == code
    assert json.loads((kiosk.config.kiosk.state_dir / "run.json").read_text())["ended"] == "failed"
    if code == 3:
        assert kiosk.signals() == ["fault"]
        assert kiosk.status()["state"] == "failed"
    else:
        assert kiosk.status()["state"] != "failed"


@pytest.mark.usefixtures("leaves_nothing")
def test_an_exception_in_a_callback_of_the_loop_ends_the_daemon(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_the_loop(_: object) -> None:
        def failing() -> None:
            raise BUG

        asyncio.get_running_loop().call_soon(failing)

    monkeypatch.setattr(Notifier, "ready", break_the_loop)
    assert root.run(kiosk.config) == 70


@pytest.mark.usefixtures("leaves_nothing")
def test_stop_ends_it_from_any_thread_even_before_it_runs(kiosk: Kiosk) -> None:
    daemon = root.Daemon(kiosk.config)
    assert daemon.look() is None
    thread = threading.Thread(target=daemon.stop, args=("the test is over",))
    thread.start()
    thread.join()
    daemon.run()
    assert daemon.look() is not None

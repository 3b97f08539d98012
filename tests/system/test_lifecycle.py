"""The daemon as systemd and an administrator see it: start, stop, exit codes, and the commands beside it."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.broker import Broker
from harness.centre import Centre, retained
from harness.certificates import Certificates, issue
from harness.codes import command
from harness.consumer import Consumer
from harness.kiosk import Kiosk
from harness.station import OperatorStation
from harness.waiting import wait_for
from harness.warehouse import BADGES, OPERATORS, line
from harness.world import OK, World, refused, world_of


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    """A world whose daemon the test starts and stops itself."""
    with world_of(tmp_path, started=False) as found:
        yield found


# -- starting and ending -----------------------------------------------------------------------------------------------


def test_ready_without_a_broker_and_a_clean_stop_is_zero(own: World) -> None:
    """Rules: commands.md#run, commands.md#exit-codes."""
    own.broker.stop()
    own.kiosk.start()
    assert own.station.scan("anything") == refused("not_signed_in")
    assert own.kiosk.stop() == 0
    own.broker.start()


def test_status_follows_the_daemon(own: World) -> None:
    """Rule: mqtt.md#status."""
    own.kiosk.start()
    online = own.centre.wait_status("online")
    assert online.journal is not None
    assert own.kiosk.stop() == 0
    assert own.centre.wait_status("offline", after=1).journal == online.journal
    seen = len(own.centre.statuses)
    own.kiosk.start()
    assert own.centre.wait_status("online", after=seen).journal == online.journal
    own.centre.wait_view(lambda view: True)  # views are published after the status
    own.centre.wait_health(lambda health: True, "anything")
    seen = len(own.centre.statuses)
    own.kiosk.cut_power()
    own.centre.wait_status("offline", after=seen)
    found = retained(own.broker, f"{own.centre.agent}/#")
    assert set(found) >= {f"{own.centre.agent}/{what}" for what in ("status", "health", "station/1")}
    assert json.loads(found[f"{own.centre.agent}/status"])["state"] == "offline"


def test_usage_is_two(world: World) -> None:
    """Rule: commands.md#exit-codes."""
    assert world.kiosk.run("run", "--no-such-option").returncode == 2
    assert world.kiosk.run("no-such-command").returncode == 2


@pytest.mark.parametrize("name", ["run", "check"])
def test_refused_configuration_is_one_and_names_every_error(own: World, name: str) -> None:
    """Rules: settings.md#configuration-file, commands.md#exit-codes."""
    own.kiosk.settings["workflow"]["bounce_msec"] = 500
    own.kiosk.settings["uplink"]["confirm"] = "maybe"
    own.kiosk.settings["station"][0]["scanner"][0]["baud"] = "fast"
    own.kiosk.configure()
    done = own.kiosk.run(name)
    assert done.returncode == 1
    said = (done.stdout + done.stderr).decode()
    for named in ("bounce_msec", "bounce_ms", "confirm", "consumer", "baud"):
        assert re.search(rf"\b{named}\b", said), f"{named} is not named in:\n{said}"
    assert "Traceback" not in said


def test_refused_configuration_is_told_to_the_broker(own: World) -> None:
    """Rule: commands.md#failure-at-start."""
    own.kiosk.settings["workflow"]["bounce_msec"] = 500
    own.kiosk.configure()
    assert own.kiosk.run("run").returncode == 1
    assert own.centre.wait_status("failed").reason
    assert own.station.indicator.next().signal == "fault"


def test_check_accepts_what_the_daemon_runs_with(world: World) -> None:
    """Rule: commands.md#check."""
    assert world.kiosk.run("check").returncode == 0
    assert world.kiosk.run("check", "--broker").returncode == 0


def test_second_daemon_on_the_same_state_is_refused(own: World) -> None:
    """Rule: commands.md#exit-codes."""
    own.kiosk.start()
    own.centre.wait_status("online")
    order, units = own.simple(1)
    station = own.opened(order)
    done = own.kiosk.run("run")
    assert done.returncode == 75
    assert b"Traceback" not in done.stdout + done.stderr
    station.indicator.left()
    assert station.scan(units[0]).signal == "order_done"


def test_a_hangup_is_a_reload(own: World) -> None:
    """Rule: commands.md#reload."""
    own.kiosk.spawn()
    own.centre.wait_status("online")
    order, units = own.simple(2)
    station = own.opened(order)
    os.kill(own.kiosk.pid, signal.SIGHUP)
    wait_for(lambda: "everything is asked for again" in own.kiosk.output(), "the reload")
    assert station.scan(units[0]) == OK
    assert own.kiosk.stop() == 0


# -- state that must not be overwritten --------------------------------------------------------------------------------


def file_with(state_dir: Path, needle: bytes) -> tuple[Path, int]:
    """Return the file of the state directory that contains these bytes, and the offset."""
    for path in sorted(state_dir.rglob("*")):
        if path.is_file() and (at := path.read_bytes().find(needle)) >= 0:
            return path, at
    raise AssertionError(f"{needle!r} is nowhere in {state_dir}")


def damage(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x04
    path.write_bytes(bytes(data))


def killed_after_some_scans(own: World) -> list[str]:
    """Count six devices without a broker, and kill the daemon; return the IMEIs of the order."""
    own.kiosk.start()
    own.centre.wait_status("online")
    own.consumer.acknowledging = False
    order, units = own.simple(8)
    station = own.opened(order)
    own.broker.stop()
    assert {station.scan(unit) for unit in units[:6]} == {OK}
    own.kiosk.cut_power()
    own.broker.start()
    return units


def test_damaged_journal_is_three_and_left_alone(own: World) -> None:
    """Rules: faults.md#damaged-journal, commands.md#exit-codes, commands.md#failure-at-start."""
    units = killed_after_some_scans(own)
    path, at = file_with(own.kiosk.state_dir, f'"id":"{units[2]}"'.encode())
    damage(path, at)
    before = path.read_bytes()
    own.kiosk.spawn()
    assert own.kiosk.wait() == 3
    assert path.read_bytes() == before, "it is never repaired silently"
    assert own.station.indicator.left()[-1].signal == "fault"
    assert own.centre.wait_status("failed").reason
    assert path.name in own.kiosk.output()
    assert own.kiosk.run("journal", "verify").returncode == 3
    readable = own.kiosk.run("journal", "export")
    documents = [json.loads(document) for document in readable.stdout.splitlines()]
    counted = [document["data"]["unit"]["id"] for document in documents if document["type"] == "kiosk.scan.accepted.v1"]
    assert counted[:2] == units[:2], "what is before the damage is readable"
    assert units[2] not in counted


def test_unfinished_tail_is_dropped_and_told(own: World) -> None:
    """Rule: faults.md#unfinished-tail."""
    units = killed_after_some_scans(own)
    path, at = file_with(own.kiosk.state_dir, f'"id":"{units[5]}"'.encode())
    damage(path, at)
    seen = len(own.centre.statuses)
    own.kiosk.start()
    assert own.station.scan_all(units[4], units[5]) == [("again", "already_counted"), OK]
    own.consumer.acknowledging = True
    own.centre.wait_status("online", after=seen)
    said = own.centre.request("health")
    assert re.search("tail|unfinished|interrupted|dropped", json.dumps(said)), said


# -- the commands beside the daemon ------------------------------------------------------------------------------------


def test_status_shows_stations_scanners_and_backlog(world: World) -> None:
    """Rule: commands.md#status-of-the-daemon."""
    order, _ = world.simple(1)
    world.opened(order)
    done = world.kiosk.run("status")
    assert done.returncode == 0
    said = done.stdout.decode()
    for shown in ("left", "right", order, "E7", "scanning"):
        assert shown in said


def test_status_without_a_daemon_says_so(own: World) -> None:
    """Rule: commands.md#status-of-the-daemon."""
    done = own.kiosk.run("status")
    assert done.returncode != 0
    assert b"Traceback" not in done.stdout + done.stderr
    assert done.stdout + done.stderr


def test_journal_is_read_while_scanning_goes_on(world: World) -> None:
    """Rule: commands.md#journal."""
    order, units = world.simple(40)
    station = world.opened(order)
    station.scan_all(*units[:39])
    assert world.kiosk.run("journal", "verify").returncode == 0
    exported = world.delivered()
    assert world.in_sequence()[: len(exported)] == exported, "the exact documents, one a line"
    tail = world.kiosk.run("journal", "tail")
    assert tail.returncode == 0
    assert units[38] in tail.stdout.decode()
    assert station.scan(units[39]).signal == "order_done"


# -- the broker asks who it is -----------------------------------------------------------------------------------------

RIGHTS = """
user centre
topic readwrite #

user dock-3
topic write kiosk/v1/rtm1/agent/dock-3/event/#
topic write kiosk/v1/rtm1/agent/dock-3/status
topic write kiosk/v1/rtm1/agent/dock-3/health
topic write kiosk/v1/rtm1/agent/dock-3/station/#
topic write kiosk/v1/rtm1/agent/dock-3/response/#
topic read kiosk/v1/rtm1/order/#
topic read kiosk/v1/rtm1/reference/#
topic read kiosk/v1/rtm1/agent/dock-3/ack
topic read kiosk/v1/rtm1/agent/dock-3/request/#
topic read kiosk/v1/rtm1/agent/dock-3/verdict/#
"""


@contextmanager
def secured_kiosk(
    directory: Path, broker: Broker, certificates: Certificates, *, password: str, **mqtt: Any
) -> Iterator[tuple[Kiosk, OperatorStation]]:
    """Make a kiosk, not yet started, that connects over TLS with a password."""
    file = directory / "password"
    file.touch(0o600)  # `check` refuses a secret that others can read
    file.write_text(f"{password}\n")
    file.chmod(0o600)
    settings = {
        "mqtt": {
            "host": "localhost", "username": "dock-3", "password_file": str(file), "tls": True,
            "ca_file": str(certificates.authority), **mqtt,
        }
    }  # fmt: skip
    with (
        OperatorStation(directory) as station,
        Kiosk(directory, broker.port, [station], settings=settings) as kiosk,
    ):
        yield kiosk, station


USERS = {"centre": "central", "dock-3": "packing bench"}


@pytest.mark.parametrize("protocol", [5, 311])
def test_tls_password_and_the_least_rights_are_enough(tmp_path: Path, protocol: int) -> None:
    """Rules: mqtt.md#access-rights, settings.md#broker."""
    certificates = issue(tmp_path / "certificates")
    with (
        Broker(tmp_path / "broker", users=USERS, acl=RIGHTS, certificates=certificates) as broker,
        secured_kiosk(tmp_path, broker, certificates, password="packing bench", protocol=protocol) as (kiosk, station),
        Centre(broker, kiosk="dock-3", user="centre") as centre,
        Consumer(broker, user="centre") as consumer,
    ):
        centre.operators(1, OPERATORS)
        centre.order("SO/2026/0017", line("1", "SKU", 1, units=[["490154203237518"]]))
        kiosk.start()
        centre.wait_status("online")
        centre.settle()
        signals = station.scan_all(BADGES["E7"], "SO/2026/0017", "490154203237518", command("SAVE"))
        assert [signalled.signal for signalled in signals] == ["ok", "ok", "order_done", "boxed"]
        event = consumer.wait("box.created")
        assert event.subject == "SO/2026/0017"
        assert kiosk.stop() == 0
        if protocol == 5:
            assert not consumer.problems
        assert "packing bench" not in kiosk.output()


def test_a_home_made_certificate_of_the_broker_is_accepted(tmp_path: Path) -> None:
    """Without key identifiers, which Python 3.13 demands by default. (settings.md#broker)"""
    certificates = issue(tmp_path / "certificates", home_made=True)
    with (
        Broker(tmp_path / "broker", users=USERS, certificates=certificates) as broker,
        secured_kiosk(tmp_path, broker, certificates, password="packing bench") as (kiosk, _),
        Centre(broker, kiosk="dock-3", user="centre") as centre,
    ):
        kiosk.start()
        centre.wait_status("online")
        checked = kiosk.run("check", "--broker")
        assert checked.returncode == 0, checked.stdout
        assert kiosk.stop() == 0


@pytest.mark.parametrize("fault", ["unknown authority", "wrong password"])
def test_wrong_credentials_keep_it_offline_but_scanning(tmp_path: Path, fault: str) -> None:
    """Rules: settings.md#broker, faults.md#network-down."""
    certificates, others = issue(tmp_path / "certificates"), issue(tmp_path / "others")
    password = "guess" if fault == "wrong password" else "packing bench"
    trusted = others if fault == "unknown authority" else certificates
    with (
        Broker(tmp_path / "broker", users=USERS, certificates=certificates) as broker,
        secured_kiosk(tmp_path, broker, trusted, password=password) as (kiosk, station),
    ):
        kiosk.start()
        assert station.scan("SO-1") == refused("not_signed_in")
        assert kiosk.run("check", "--broker").returncode != 0
        assert retained(broker, "kiosk/#", user="centre") == {}
        assert kiosk.stop() == 0

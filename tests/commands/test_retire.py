"""`kiosk-agent retire` (`commands.md#retire`): only when everything is delivered and no daemon runs."""

import io
from pathlib import Path
from typing import Any

import pytest

from agent.commands import retire as command
from agent.commands.retire import Undelivered, retire
from agent.daemon.published_stations import STATIONS_FILE, add_published_stations
from agent.errors import ConfigError, JournalFault
from agent.journal import Journal
from agent.uplink.failures import BrokerLost
from agent.uplink.uplink_settings import BrokerSettings

CONFIG = """
[kiosk]
site = "rtm1"
id = "dock-3"
state_dir = "state"
[mqtt]
hosts = ["a:1", "b"]
[[station]]
id = "north"
[[station.scanner]]
name = "left"
driver = "serial"
port = "/dev/ttyACM0"
[[station]]
id = "south"
[[station.scanner]]
name = "left"
driver = "serial"
port = "/dev/ttyACM1"
"""

Cleared = list[tuple[BrokerSettings, dict[str, Any]]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "agent.toml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def cleared(monkeypatch: pytest.MonkeyPatch) -> Cleared:
    calls: Cleared = []

    def clear(broker: BrokerSettings, **ids: Any) -> tuple[str, ...]:
        calls.append((broker, ids))
        return ("kiosk/status", "kiosk/health")

    monkeypatch.setattr(command, "clear", clear)
    return calls


@pytest.fixture
def journal_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "state" / "journal"
    directory.mkdir(parents=True)
    return directory


def write(directory: Path, *, events: int, delivered: int) -> None:
    journal = Journal.open(directory)
    journal.commit([b'{"n":%d}' % number for number in range(events)])
    journal.mark(delivered)
    journal.flush_mark()
    journal.close()


def test_retire_clears_once_all_is_delivered(file: Path, journal_dir: Path, cleared: Cleared) -> None:
    """Rule: commands.md#retire."""
    write(journal_dir, events=3, delivered=3)
    out = io.StringIO()
    assert retire(file, out) == 0
    ((broker, ids),) = cleared
    assert broker.hosts == (("a", 1), ("b", 8883))
    assert ids == {"site": "rtm1", "kiosk": "dock-3", "stations": ["north", "south"]}
    assert out.getvalue() == "kiosk rtm1/dock-3 is retired; cleared at the broker:\n  kiosk/status\n  kiosk/health\n"


def test_retire_clears_stations_that_were_removed_from_the_configuration(
    file: Path, journal_dir: Path, cleared: Cleared
) -> None:
    """Rule: commands.md#retire."""
    add_published_stations(journal_dir.parent / STATIONS_FILE, ["east", "north"])
    assert retire(file, io.StringIO()) == 0
    assert cleared[0][1]["stations"] == ["north", "south", "east"]


@pytest.mark.parametrize(
    ("delivered", "text"), [(0, "3 events have not been delivered"), (2, "1 event has not been delivered")]
)
def test_retire_refuses_while_events_wait(
    file: Path, journal_dir: Path, cleared: Cleared, delivered: int, text: str
) -> None:
    """Rule: commands.md#retire."""
    write(journal_dir, events=3, delivered=delivered)
    with pytest.raises(Undelivered, match=text):
        retire(file, io.StringIO())
    assert cleared == []


def test_retire_refuses_while_the_daemon_runs(file: Path, journal_dir: Path, cleared: Cleared) -> None:
    running = Journal.open(journal_dir)
    try:
        with pytest.raises(JournalFault):
            retire(file, io.StringIO())
    finally:
        running.close()
    assert cleared == []


def test_retire_a_kiosk_that_never_ran_makes_no_journal(file: Path, tmp_path: Path, cleared: Cleared) -> None:
    assert retire(file, io.StringIO()) == 0
    assert len(cleared) == 1
    assert not (tmp_path / "state").exists()


def test_retire_lets_go_of_the_journal(file: Path, journal_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(journal_dir, events=1, delivered=1)

    def clear(_broker: BrokerSettings, **_ids: Any) -> tuple[str, ...]:
        raise BrokerLost("a:1: nobody listens there")

    monkeypatch.setattr(command, "clear", clear)
    with pytest.raises(BrokerLost):
        retire(file, io.StringIO())
    Journal.open(journal_dir).close()


def test_retire_a_refused_configuration(tmp_path: Path, cleared: Cleared) -> None:
    with pytest.raises(ConfigError):
        retire(tmp_path / "agent.toml", io.StringIO())
    assert cleared == []

"""`kiosk-agent retire`: take a kiosk out of service, once all its events are delivered (`commands.md#retire`)."""

from pathlib import Path
from typing import TextIO

from agent.config import load
from agent.daemon.published_stations import STATIONS_FILE, published_stations
from agent.daemon.wiring import broker_of
from agent.errors import KioskError
from agent.journal import Journal
from agent.uplink.oneshot import retire as clear

__all__ = ["Undelivered", "retire"]


class Undelivered(KioskError):
    """Events of this kiosk have not been delivered to the centre."""


def retire(config_path: Path, out: TextIO) -> int:
    """Clear this kiosk's retained topics, so that nobody expects anything from it. The journal stays.

    Views of stations that are no longer configured are cleared too.
    Raises Undelivered, JournalBusy if the daemon runs, ConfigError, JournalDamaged, JournalFault, BrokerLost.
    """
    config = load(config_path)
    _refuse_undelivered(config.kiosk.state_dir / "journal")
    published = published_stations(config.kiosk.state_dir / STATIONS_FILE)
    cleared = clear(
        broker_of(config.mqtt),
        site=config.kiosk.site,
        kiosk=config.kiosk.id,
        stations=list(dict.fromkeys([*(station.id for station in config.stations), *published])),
    )
    out.write(f"kiosk {config.kiosk.site}/{config.kiosk.id} is retired; cleared at the broker:\n")
    out.writelines(f"  {topic}\n" for topic in cleared)
    return 0


def _refuse_undelivered(directory: Path) -> None:
    if not directory.exists():
        return  # it never ran, so nothing waits; opening the journal would create one
    journal = Journal.open(directory)
    try:
        waiting = journal.last_position - journal.delivered
    finally:
        journal.close()
    if waiting:
        events = "1 event has" if waiting == 1 else f"{waiting} events have"
        raise Undelivered(f"{events} not been delivered: run the daemon until they are (see kiosk-agent status)")

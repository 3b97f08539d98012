"""What the running centre does with messages that it refuses."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import paho.mqtt.publish

from harness.site import Site, site_of
from harness.waiting import wait_for

TOPIC = "kiosk/v1/rtm1/agent/dock-9/event/scan"


def letters(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.centre.get("/dead-letters")["items"]
    return found


def test_a_refused_message_stays_a_dead_letter_when_it_is_tried_again(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        paho.mqtt.publish.single(TOPIC, b"no event", qos=1, hostname="127.0.0.1", port=site.brokers[0].port)
        wait_for(lambda: len(letters(site)) == 1, "the dead letter")
        [letter] = letters(site)
        answer = site.centre.api().post(f"/dead-letters/{letter['id']}/retry")
        assert answer.status_code == 409, answer.text
        assert letters(site) == [letter]


def test_a_dead_letter_that_is_an_event_after_all_is_stored(tmp_path: Path) -> None:
    """The letter is written into the database, as if an older centre had refused the event."""
    with site_of(tmp_path) as site:
        site.bench.station.scan("who-is-there")
        document, _ = site.bench.kiosk.exported()[0]
        other = document.replace(b"/kiosk/rtm1/dock-1", b"/kiosk/rtm1/dock-9")
        [file] = site.centre.data_dir.glob("*.sqlite")
        with closing(sqlite3.connect(file, timeout=10)) as database, database:
            database.execute(
                "INSERT INTO dead_letter (topic, reason, received_at, payload) VALUES (?, ?, ?, ?)",
                (TOPIC, "no_cloudevent", "2026-11-22T17:53:01.123Z", other),
            )
        [letter] = letters(site)
        answer = site.centre.api().post(f"/dead-letters/{letter['id']}/retry")
        assert (answer.status_code, answer.json()) == (200, {"taken": True})
        assert letters(site) == []
        assert other in site.centre.events()
        [run] = site.centre.get("/kiosks/rtm1/dock-9")["journals"]
        assert int(run["through"]) == 1

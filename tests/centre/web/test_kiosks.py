"""Kiosks by REST: what they say, requests to them, and retiring one."""

import json
from typing import Any

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from centre.centre_errors import LinkDown
from centre.link.broker_link import PublishRefused
from centre.link.kiosk_requests import KioskSilent
from centre.moments import moment
from centre.store.message_rows import load_message
from centre.store.schema import hole, journal, kiosk, station
from centre.web.scopes import Scope
from tests.centre.web.conftest import Centre
from tests.centre.web.stored_events import stored_kiosk
from tests.centre.web.test_problems import problem

STATUS = {"state": "online", "version": "1.0.0", "journal": "3F0C9A1B", "connection": 7}
HEALTH = {"uplink": {"backlog": 12}, "connection": 7}


@pytest.fixture
def client(centre: Centre) -> TestClient:
    return centre.client_with_token(Scope.ADMIN)


def stored(centre: Centre, site: str, name: str, **columns: Any) -> int:
    with centre.database.writing() as connection:
        number = stored_kiosk(connection, site, name)
        now = moment(centre.clock.now())
        values = {
            "status": json.dumps(STATUS),
            "status_received_at": now,
            "health": json.dumps(HEALTH),
            "health_received_at": now,
            **columns,
        }
        connection.execute(update(kiosk).where(kiosk.c.id == number).values(values))
    return number


def test_a_kiosk_with_its_journals_holes_and_stations(centre: Centre, client: TestClient) -> None:
    number = stored(centre, "main", "dock-1")
    with centre.database.writing() as connection:
        connection.execute(update(journal).values(through=40, highest=45))
        connection.execute(insert(hole).values(journal_id=number, first=3, last=5, found_at="2026-11-22T11:00:00.000Z"))
        view = json.dumps({"state": "ready"})
        connection.execute(
            insert(station).values(
                kiosk_id=number, name="1", view=view, connection=7, received_at="2026-11-22T11:00:00Z"
            )
        )
    found = client.get("/api/v1/kiosks/main/dock-1").json()
    assert found["state"] == "online"
    assert (found["version"], found["journal"], found["through"]) == ("1.0.0", "3F0C9A1B", "000000000040")
    assert found["backlog"] == 12
    assert found["holes"] == [{"first": "000000000003", "last": "000000000005"}]
    assert found["journals"][0]["highest"] == "000000000045"
    assert [one["view"] for one in found["stations"]] == [{"state": "ready"}]
    assert (found["status"], found["health"]) == (STATUS, HEALTH)
    assert client.get("/api/v1/kiosks").json() == {"items": [found], "next": None}
    centre.clock.pass_by(seconds=121)
    assert client.get("/api/v1/kiosks/main/dock-1").json()["state"] == "offline"


@pytest.mark.parametrize(
    ("told", "waiting"),
    [
        ({}, 2),  # five of its seven have been stored since
        ({"acked": "000000000040"}, 7),
        ({"last": "000000000038", "backlog": 3}, 0),
        ({"last": "x"}, 7),
        ({"last": None}, 7),
    ],
)
def test_what_was_stored_since_is_no_backlog(
    centre: Centre, client: TestClient, told: dict[str, Any], waiting: int
) -> None:
    uplink = {"backlog": 7, "acked": "000000000035", "last": "000000000042", **told}
    stored(centre, "main", "dock-1", health=json.dumps({"uplink": uplink, "journal": {"id": "3F0C9A1B"}}))
    with centre.database.writing() as connection:
        connection.execute(update(journal).values(through=40, highest=40))
    assert client.get("/api/v1/kiosks/main/dock-1").json()["backlog"] == waiting


@pytest.mark.parametrize("text", ["[]", '"x"', "{", "[" * 10_000, '{"state": 5, "version": 5, "journal": []}', "{}"])
def test_what_a_newer_kiosk_may_say_is_shown_as_far_as_it_goes(centre: Centre, client: TestClient, text: str) -> None:
    stored(centre, "main", "dock-1", status=text, health=text)
    found = client.get("/api/v1/kiosks/main/dock-1")
    assert found.status_code == 200
    assert found.json()["state"] in ("unknown", "offline")
    assert (found.json()["version"], found.json()["backlog"]) == (None, None)


def test_kiosks_come_in_pages_by_site_and_name(centre: Centre, client: TestClient) -> None:
    names = [("main", "dock-1"), ("main", "dock-2"), ("rtm1", "dock-1"), ("rtm1", "dock-3")]
    for site, name in reversed(names):
        stored(centre, site, name)
    seen, after = [], None
    while True:
        page = client.get("/api/v1/kiosks", params={"limit": 3, **({"after": after} if after else {})}).json()
        seen += [(one["site"], one["kiosk"]) for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == names
    of_site = client.get("/api/v1/kiosks?site=rtm1").json()["items"]
    assert [one["kiosk"] for one in of_site] == ["dock-1", "dock-3"]


def test_requests_are_sent_and_answered(centre: Centre, client: TestClient) -> None:
    stored(centre, "main", "dock-1")
    for name in ("identify", "reload"):
        assert client.post(f"/api/v1/kiosks/main/dock-1/{name}").json() == {"ok": True, "error": None}
    assert centre.kiosks.sent == [("main", "dock-1", "identify", {}), ("main", "dock-1", "reload", {})]
    centre.kiosks.answer = {"ok": False, "error": "no lamp", "transaction": "t-1"}
    assert client.post("/api/v1/kiosks/main/dock-1/identify").json() == {"ok": False, "error": "no lamp"}
    for failure, status in {
        LinkDown("no broker of site main is connected"): 502,
        PublishRefused("not authorized", code=0x87): 502,
        KioskSilent("kiosk dock-1 has not answered"): 504,
    }.items():
        centre.kiosks.answer = failure
        problem(client.post("/api/v1/kiosks/main/dock-1/reload"), status)
    problem(client.post("/api/v1/kiosks/main/dock-9/reload"), 404)
    assert len(centre.kiosks.sent) == 6


def test_a_retired_kiosk_leaves_the_list(centre: Centre, client: TestClient) -> None:
    stored(centre, "main", "dock-1")
    retired = client.post("/api/v1/kiosks/main/dock-1/retire")
    assert (retired.status_code, retired.json()["state"]) == (200, "retired")
    assert client.post("/api/v1/kiosks/main/dock-1/retire").json() == retired.json()
    assert client.get("/api/v1/kiosks").json()["items"] == []
    assert client.get("/api/v1/kiosks?retired=true").json()["items"] == [retired.json()]
    assert client.get("/api/v1/kiosks/main/dock-1").json() == retired.json()
    with centre.database.reading() as connection:
        message = load_message(connection, "kiosk/v1/main/agent/dock-1/ack")
    assert message is not None
    assert message.payload == b""
    problem(client.post("/api/v1/kiosks/main/dock-9/retire"), 404)

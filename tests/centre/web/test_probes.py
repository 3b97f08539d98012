"""`/healthz`, `/readyz`, `/metrics`."""

import threading

import pytest
from starlette.testclient import TestClient

from centre.centre_errors import DatabaseDown
from centre.store.database import Database
from centre.web.scopes import Scope
from tests.centre.web.conftest import Centre, MakeCentre
from tests.centre.web.stored_events import store_events
from tests.centre.web.test_orders import manifest
from tests.centre.web.test_problems import problem


def test_ready_needs_the_database_the_ingest_and_a_broker(sqlite_centre: Centre) -> None:
    centre, client = sqlite_centre, sqlite_centre.client()
    assert client.get("/readyz").json() == {
        "ready": True, "database": True, "ingest": True, "brokers": {"127.0.0.1:1883": True}
    }  # fmt: skip
    centre.broker.is_connected = False
    assert client.get("/readyz").status_code == 503
    centre.broker.is_connected = True
    centre.ingest.ready = False
    response = client.get("/readyz")
    assert (response.status_code, response.json()["ingest"]) == (503, False)
    assert client.get("/healthz").json() == {"status": "alive"}


def test_a_database_that_hangs_is_not_ready(sqlite_centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr("centre.web.probes.PULSE_S", 0.1)
    monkeypatch.setattr(Database, "ping", lambda _self: goes_on.wait(10))
    with sqlite_centre.client() as client:
        for _ in range(10):
            response = client.get("/readyz")
            assert (response.status_code, response.json()["database"]) == (503, False)
        goes_on.set()
        assert client.get("/readyz").status_code == 200


def test_metrics(centre: Centre) -> None:
    with centre.database.writing() as connection:
        store_events(connection, 3)
    client = centre.client_with_token(Scope.ORDERS)
    client.put("/api/v1/orders/SO-1", json=manifest())
    lines = centre.client().get("/metrics").text.splitlines()
    for line in (
        "kiosk_centre_database_up 1.0",
        "kiosk_centre_events_total 3.0",
        'kiosk_centre_orders{status="open"} 1.0',
        'kiosk_centre_broker_connected{broker="127.0.0.1:1883"} 1.0',
        "kiosk_centre_dead_letters 0.0",
    ):
        assert line in lines
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)


def test_metrics_while_the_database_is_down(sqlite_centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_self: Database) -> None:
        raise DatabaseDown("refused")

    monkeypatch.setattr(Database, "reading", down)
    response = sqlite_centre.client().get("/metrics")
    assert response.status_code == 200
    assert "kiosk_centre_database_up 0.0" in response.text
    assert "kiosk_centre_events_total" not in response.text


def test_metrics_are_for_this_machine_unless_configured(make_centre: MakeCentre, sqlite_database: Database) -> None:
    private = make_centre(sqlite_database, behind_proxy=True)
    problem(private.client().get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}), 403)
    stranger = TestClient(private.app, base_url="http://centre.example", client=("192.0.2.1", 5))
    problem(stranger.get("/metrics"), 403)
    public = make_centre(sqlite_database, behind_proxy=True, public_metrics=True)
    assert TestClient(public.app, client=("192.0.2.1", 5)).get("/metrics").status_code == 200

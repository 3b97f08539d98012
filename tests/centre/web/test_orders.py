"""Orders by REST: put, read, list, cancel; versions and pages."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from centre.configuration.centre_settings import MqttBrokerSettings
from centre.moments import moment
from centre.store.database import Database
from centre.store.message_rows import load_message
from centre.store.retained_rows import note_sent
from centre.web.scopes import Scope
from tests.centre.web.conftest import Centre, MakeCentre
from tests.centre.web.test_problems import paths_of, problem

LINE = {"line": "1", "sku": "P13-128-BLK", "flow": "used", "serialized": True, "quantity": 2, "tacs": ["49015420"]}


def manifest(**fields: Any) -> dict[str, Any]:
    return {"type": "normal", "lines": [LINE], **fields}


@pytest.fixture
def client(centre: Centre) -> TestClient:
    return centre.client_with_token(Scope.ORDERS)


@pytest.mark.parametrize(("order", "path"), [("SO-1", "SO-1"), ("SO/1", "SO%2F1"), ("ü %2F.", "%C3%BC%20%252F%2E")])
def test_an_order_is_put_read_and_cancelled(client: TestClient, order: str, path: str) -> None:
    put = client.put(f"/api/v1/orders/{path}", json=manifest())
    assert put.status_code == 201
    read = client.get(f"/api/v1/orders/{path}")
    assert read.json() == put.json()
    assert read.json()["order"] == order
    assert (read.json()["status"], read.json()["revision"]) == ("open", 1)
    assert read.json()["lines"] == [
        {"line": "1", "sku": "P13-128-BLK", "ordered": 2, "scanned": 0, "pending": 2, "units": []}
    ]
    assert [one["order"] for one in client.get("/api/v1/orders").json()["items"]] == [order]
    assert client.put(f"/api/v1/orders/{path}", json=manifest()).json() == read.json()
    for action, status in {"cancel": "cancelled", "reopen": "open", "withdraw": "withdrawn"}.items():
        done = client.post(f"/api/v1/orders/{path}/{action}")
        assert (done.status_code, done.json()["status"]) == (200, status)


def test_revisions_that_go_back_are_refused(client: TestClient) -> None:
    assert client.put("/api/v1/orders/A", json=manifest(revision=5)).status_code == 201
    assert client.put("/api/v1/orders/A", json=manifest(revision=5)).status_code == 200
    problem(client.put("/api/v1/orders/A", json=manifest(revision=4)), 409)
    problem(client.put("/api/v1/orders/A", json=manifest(revision=5, barcodes=["B"])), 409)
    assert client.put("/api/v1/orders/A", json=manifest(barcodes=["B"])).json()["revision"] == 6


def test_versions_are_compared(client: TestClient) -> None:
    url = "/api/v1/orders/A"
    problem(client.put(url, json=manifest(), headers={"If-Match": "*"}), 412)
    first = client.put(url, json=manifest(), headers={"If-None-Match": "*"})
    assert first.status_code == 201
    problem(client.put(url, json=manifest(), headers={"If-None-Match": "*"}), 412)
    tag = first.headers["ETag"]
    assert client.get(url).headers["ETag"] == tag
    assert client.get(url, headers={"If-None-Match": f'"0", {tag}'}).status_code == 304
    second = client.put(url, json=manifest(barcodes=["B"]), headers={"If-Match": tag})
    assert second.status_code == 200
    assert second.headers["ETag"] != tag
    for header in (tag, f"W/{second.headers['ETag']}", '"', "nonsense", ""):
        problem(client.put(url, json=manifest(barcodes=["C"]), headers={"If-Match": header}), 412)
        problem(client.post(f"{url}/cancel", headers={"If-Match": header}), 412)
    assert client.get(url).json()["manifest"]["barcodes"] == ["B"]
    assert client.put(url, json=manifest(barcodes=["C"]), headers={"If-Match": "*"}).status_code == 200


def test_an_order_goes_to_one_site_or_to_all(client: TestClient) -> None:
    url = "/api/v1/orders/A"
    assert client.put(url, params={"site": "rtm1"}, json=manifest()).json()["site"] == "rtm1"
    assert client.put(url, json=manifest(barcodes=["B"])).json()["site"] == "rtm1"
    assert client.put(f"{url}?site=", json=manifest(barcodes=["B"])).json()["site"] is None
    assert paths_of(problem(client.put(url, params={"site": "nowhere"}, json=manifest()), 422)) == ["site"]


def test_pages_stay_right_while_orders_are_added(client: TestClient) -> None:
    for number in range(10, 25):
        client.put(f"/api/v1/orders/SO-{number}", json=manifest())
    seen, after = [], None
    while True:
        page = client.get("/api/v1/orders", params={"limit": 4, **({"after": after} if after else {})}).json()
        seen += [order["order"] for order in page["items"]]
        client.put(f"/api/v1/orders/AA-{len(seen)}", json=manifest())
        after = page["next"]
        if after is None:
            break
    assert seen == [f"SO-{number}" for number in range(10, 25)]


def test_changes_are_followed(centre: Centre, client: TestClient) -> None:
    for name in "ABC":
        client.put(f"/api/v1/orders/{name}", json=manifest())
        centre.clock.pass_by(seconds=10)
    seen = client.get("/api/v1/orders?changed_after=&after=").json()["items"]
    assert [order["order"] for order in seen] == ["A", "B", "C"]
    last = seen[-1]["changed"]
    assert client.get("/api/v1/orders", params={"changed_after": last}).json() == {"items": [], "next": None}
    client.post("/api/v1/orders/A/cancel")
    page = client.get("/api/v1/orders", params={"changed_after": last}).json()
    assert [order["order"] for order in page["items"]] == ["A"]
    first = client.get("/api/v1/orders", params={"changed_after": 0, "limit": 2}).json()
    rest = client.get("/api/v1/orders", params={"changed_after": 0, "limit": 2, "after": first["next"]}).json()
    assert [order["order"] for order in (*first["items"], *rest["items"])] == ["B", "C", "A"]
    for time, names in {
        "2026-11-22T12:00:05Z": ["B", "C", "A"],
        "2026-11-22T13:00:05+01:00": ["B", "C", "A"],
        "2026-11-22T12:00:20.000": ["A"],
        "2027-01-01": [],
    }.items():
        found = client.get("/api/v1/orders", params={"changed_after": time}).json()["items"]
        assert [order["order"] for order in found] == names, time


def test_orders_are_filtered(client: TestClient) -> None:
    for name, site in {"SO-1": "main", "SO-2": "rtm1", "XX_1": ""}.items():
        client.put(f"/api/v1/orders/{name}", params={"site": site}, json=manifest())
    client.post("/api/v1/orders/SO-2/cancel")
    for query, names in {
        "status=cancelled": ["SO-2"],
        "status=open,%20cancelled": ["SO-1", "SO-2", "XX_1"],
        "q=so": ["SO-1", "SO-2"],
        "q=_": ["XX_1"],
        "q=%25": [],
        "site=main": ["SO-1", "XX_1"],
        "site=nowhere": ["XX_1"],
        "q=1&site=rtm1": ["XX_1"],
    }.items():
        found = client.get(f"/api/v1/orders?{query}").json()["items"]
        assert [order["order"] for order in found] == names, query


def test_what_is_not_known(client: TestClient) -> None:
    for action in ("cancel", "withdraw", "reopen"):
        problem(client.post(f"/api/v1/orders/none/{action}"), 404)
    problem(client.get("/api/v1/orders/none"), 404)
    problem(client.get("/api/v1/boxes/none"), 404)
    problem(client.post("/api/v1/units/490154203237518/returned"), 404)
    assert client.get("/api/v1/units/490154203237518").json()["state"] == "unknown"


def test_changes_are_audited_under_the_name_of_the_token(centre: Centre, client: TestClient) -> None:
    from centre.store.audit_rows import audit_page

    client.put("/api/v1/orders/A", json=manifest())
    client.post("/api/v1/orders/A/cancel")
    with centre.database.reading() as connection:
        rows = audit_page(connection, limit=2)
    assert [(row.actor, row.action, row.subject) for row in rows] == [
        ("token:a orders token", "order.cancel", "A"),
        ("token:a orders token", "order.put", "A"),
    ]


def test_an_order_is_published_when_every_broker_has_it(make_centre: MakeCentre, database: Database) -> None:
    brokers = tuple(MqttBrokerSettings(host=host, port=1883) for host in ("broker-a", "broker-b"))
    centre = make_centre(database, brokers)
    client = centre.client_with_token(Scope.ORDERS)
    url = "/api/v1/orders/A"
    put = client.put(url, params={"site": "main"}, json=manifest())
    assert put.json()["published"] is False

    def taken(broker: str) -> None:
        with database.writing() as connection:
            message = load_message(connection, "kiosk/v1/main/order/A")
            assert message is not None
            digest = hashlib.sha256(message.payload).digest()
            note_sent(connection, broker, {message.topic: digest}, moment(centre.clock.now()))

    taken("broker-a:1883")
    assert client.get(url).json()["published"] is False
    taken("broker-b:1883")
    assert client.get("/api/v1/orders").json()["items"][0]["published"] is True
    # It is another resource to readers, and the same version to writers.
    assert client.get(url, headers={"If-None-Match": put.headers["ETag"]}).status_code == 200
    assert client.get(url, headers={"If-None-Match": client.get(url).headers["ETag"]}).status_code == 304
    changed = client.put(url, json=manifest(barcodes=["B"]), headers={"If-Match": put.headers["ETag"]})
    assert (changed.status_code, changed.json()["published"]) == (200, False)


def test_of_writers_who_know_the_same_version_one_wins(centre: Centre) -> None:
    clients = [centre.client_with_token(Scope.ORDERS) for _ in range(4)]
    url = "/api/v1/orders/A"
    with ThreadPoolExecutor(len(clients)) as threads:
        created = threads.map(lambda client: client.put(url, json=manifest(), headers={"If-None-Match": "*"}), clients)
        assert sorted(response.status_code for response in created) == [201, 412, 412, 412]
        tag = {"If-Match": clients[0].get(url).headers["ETag"]}

        def change(number: int) -> int:
            return int(clients[number].put(url, json=manifest(barcodes=[f"B{number}"]), headers=tag).status_code)

        assert sorted(threads.map(change, range(len(clients)))) == [200, 412, 412, 412]
    assert clients[0].get(url).json()["revision"] == 2

"""Every page, over a day's data: what it says, that it is sound, and that nothing from outside is taken for markup."""

import json
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from centre.centre_errors import DatabaseDown
from centre.web.scopes import UserRole
from tests.centre.web.board.floor import Floor, imei, line
from tests.centre.web.board.html_checks import Page, page_of
from tests.centre.web.board.working_day import HELD_IMEI, OTHER_IMEI, fill
from tests.centre.web.conftest import Centre

PAGES = ["/", "/?wall", "/orders", "/orders?q=so-10&status=packed", "/orders?q=nothing", "/orders/SO-1042",
         "/orders/SO-1020", "/orders/SO-0990", "/orders/SO-1100", "/orders/SO-1042/packing-list",
         "/orders/SO-1042/ticket", "/orders/SO-0990/ticket", "/find", "/find?q=nothing", f"/find?q={HELD_IMEI}",
         "/find?q=3F0C9A1B000001", "/find?q=ZL880001", "/find?q=SO-10"]  # fmt: skip


def opened(client: TestClient, path: str, status: int = 200) -> Page:
    response = client.get(path)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "'unsafe" not in response.headers["content-security-policy"]
    return page_of(response.text)


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_sound(supervisor: TestClient, path: str) -> None:
    opened(supervisor, path)


def test_each_page_works_on_both_databases(centre: Centre) -> None:
    fill(Floor(centre.database, centre.clock.now(), sites=("main", "rtm1")))
    client = centre.signed_in(UserRole.SUPERVISOR)
    for path in PAGES:
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "path", ["/", "/orders", "/orders/SO-1042", "/find?q=x", "/orders/SO-1042/ticket", "/orders/x"]
)
def test_strangers_are_sent_to_sign_in(day: Centre, path: str) -> None:
    response = day.client().get(path, follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == f"/sign-in?next={quote(path, safe='')}"


def test_part_of_a_page_sends_a_stranger_to_sign_in_as_a_whole(day: Centre) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/orders?q=1"}
    response = day.client().get("/orders", headers=headers, follow_redirects=False)
    assert (response.status_code, response.headers["hx-redirect"]) == (401, "/sign-in?next=%2Forders%3Fq%3D1")


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/SO-1042", "/find?q=x"])
def test_database_that_is_down_is_told_on_a_page(
    day: Centre, supervisor: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def down() -> None:
        raise DatabaseDown("disk I/O error")

    monkeypatch.setattr(day.database, "reading", down)
    page = opened(supervisor, path, status=503)
    assert "The database does not work at the moment. The kiosks keep what they scan. Try again soon." in page.text


# -- benches ---------------------------------------------------------------------------------------------------------


def test_benches_that_need_a_person_come_first(supervisor: TestClient) -> None:
    page = opened(supervisor, "/")
    names = [data for place, data in page.texts if place[-2:] == ("h3", "bdi")]
    assert names == [f"rtm1 · dock-{number}" for number in (3, 8, 5, 1, 2, 4, 6, 7)]
    assert page.text.startswith("(3) Benches · main, rtm1")
    assert "must not ship: counted at dock-7 in SO-1031. Take it out" in page.text
    assert "9 refusals in 4 min: wrong barcode, it is a SIM card number (ICCID)" in page.text
    assert "box of 40: size wanted" in page.text
    assert "3 events not delivered" in page.text
    assert "Noor Visser · order SO-1042" in page.text
    assert {"value": "7", "max": "12", "aria-label": "7 of 12 scanned"} in page.all("progress")


def test_totals(supervisor: TestClient) -> None:
    page = opened(supervisor, "/")
    totals = [data for place, data in page.texts if place[-3:] == ("ul", "li", "b")]
    assert totals == ["8", "106", "12", "57", "3"]


def test_htmx_gets_the_live_part_alone(supervisor: TestClient) -> None:
    response = supervisor.get("/", headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert response.text.lstrip().startswith('<ul class="totals">')
    assert "<html" not in response.text
    assert response.headers["vary"] == "HX-Request"


def test_wall_hides_nothing_but_the_chrome(supervisor: TestClient) -> None:
    page = opened(supervisor, "/?wall")
    assert page.elements[0][1]["class"] == "wall"
    assert "/?wall" in [element.get("hx-get") for _, element in page.elements]


def test_floor_without_a_bench_says_what_to_do(viewer: TestClient) -> None:
    page = opened(viewer, "/")
    assert "No bench has reported yet" in page.text


def test_retired_and_other_sites_kiosks_are_left_out(floor: Floor, viewer: TestClient) -> None:
    floor.kiosk("dock-1", site="ams2", views={"1": floor.view(1)})
    page = opened(viewer, "/")
    assert "No bench has reported yet" in page.text


def test_kiosk_that_never_got_as_far_as_a_station_is_shown(floor: Floor, viewer: TestClient) -> None:
    floor.kiosk("dock-1", status={"state": "failed", "reason": "the journal is damaged"}, heard_s=None)
    page = opened(viewer, "/")
    assert "The kiosk could not start: the journal is damaged." in page.text


# -- orders ----------------------------------------------------------------------------------------------------------


def test_list_is_filtered_and_goes_on(supervisor: TestClient) -> None:
    first = opened(supervisor, "/orders")
    more = next(link for link in first.links() if "before=" in link)
    second = opened(supervisor, more)
    shown = [link for page in (first, second) for link in page.links() if link.startswith("/orders/")]
    assert len(shown) == len(set(shown)) == 70
    packed = opened(supervisor, "/orders?status=packed")
    assert len([link for link in packed.links() if link.startswith("/orders/")]) == 12
    found = opened(supervisor, "/orders?q=do-2")
    assert [link for link in found.links() if link.startswith("/orders/")] == ["/orders/DO-2002"]
    assert {"value": "40", "max": "40", "aria-label": "40 of 40 scanned"} in found.all("progress")


def test_percent_sign_in_the_filter_is_a_percent_sign(supervisor: TestClient) -> None:
    assert "No order like that" in opened(supervisor, "/orders?q=%25").text


def test_order_tells_all_about_it(supervisor: TestClient) -> None:
    text = opened(supervisor, "/orders/SO-1042").text
    for words in (
        "must not ship: counted at dock-7 in SO-1031",
        "Phone 13, 256 GB, green",
        "picked by Noor Visser",
        "L (600 × 400 × 300 mm)",
        f"Counted {HELD_IMEI}",
        "Refused 490154203237518: not on the order",
        "4 pieces · rtm1 · dock-3",
    ):
        assert words in text, words


def test_long_history_goes_on(supervisor: TestClient) -> None:
    first = opened(supervisor, "/orders/DO-2002")
    assert not [link for link in first.links() if "before=" in link]


def test_unknown_order_is_not_found(supervisor: TestClient) -> None:
    page = opened(supervisor, "/orders/SO-9999", status=404)
    assert "The centre knows no order with exactly this id." in page.text


def test_event_that_is_not_understood_is_shown_and_the_order_incomplete(floor: Floor, viewer: TestClient) -> None:
    floor.order("SO-1", [line("1", "A", 1)])
    floor.kiosk("dock-1")
    floor.event("dock-1", "scan.weighed", {"order": "SO-1", "grams": 3}, ago_s=5, state="not_understood")
    floor.event("dock-1", "order.left", {"order": "SO-1"}, ago_s=4, clocksynced=False)
    text = opened(viewer, "/orders/SO-1").text
    assert "Not understood kiosk.scan.weighed.v1" in text
    assert "incomplete" in text
    assert "Time of receipt: the clock of the kiosk was not set" in text


# -- find ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", [HELD_IMEI, OTHER_IMEI, f" {HELD_IMEI} "])
def test_phone_is_found_by_any_of_its_identifiers(supervisor: TestClient, identifier: str) -> None:
    text = opened(supervisor, f"/find?q={quote(identifier)}").text
    assert f"{HELD_IMEI} held" in text
    assert "It must not ship (counted at dock-7 in SO-1031). Take it out of SO-1042" in text
    assert "Counted in SO-1042 , box 3F0C9A1B00000E , at rtm1 · dock-3 by Noor Visser" in text
    assert "scanned by Noor Visser" in text
    assert OTHER_IMEI in text


def test_packed_phone(supervisor: TestClient) -> None:
    text = opened(supervisor, f"/find?q={imei(0)}").text
    assert f"{imei(0)} packed" in text
    assert "It is packed in box ZL770000 of order SO-1020, at rtm1 · dock-6." in text


def test_box_is_found_by_id_and_by_label(supervisor: TestClient) -> None:
    for text in ("3F0C9A1B00000E", "3f0c9a1b00000e", "ZL880001"):
        page = opened(supervisor, f"/find?q={text}")
        assert "Box 3F0C9A1B00000E confirmed order SO-1042" in page.text


def test_order_id_leads_to_the_order(supervisor: TestClient) -> None:
    response = supervisor.get("/find?q=SO-1042", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/orders/SO-1042")


def test_part_of_an_order_id_lists_orders(supervisor: TestClient) -> None:
    assert "/orders/SO-0990" in opened(supervisor, "/find?q=0990").links()


def test_nothing_found_says_what_may_be_wrong(supervisor: TestClient) -> None:
    text = opened(supervisor, "/find?q=3569380490010").text + opened(supervisor, "/find?q=35693804900101").text
    assert "No phone, order, box or label with exactly these characters is known here." in text
    assert "an IMEI has 15" in text


# -- strangers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_public_pages_name_no_operator(public_day: Centre, path: str) -> None:
    text = opened(public_day.client(), path).text
    for name in ("Visser", "Okafor", "de Wit", "Lindqvist", "Jansen", "Park", "Bauer"):
        assert name not in text
    assert " by E" not in text


def test_public_pages_offer_no_change(public_day: Centre) -> None:
    page = opened(public_day.client(), "/orders/SO-1042")
    assert [form["action"] for form in page.all("form")] == ["/find"]
    assert "/sign-in?next=/orders/SO-1042" in page.links()


def test_public_read_does_not_open_rest(public_day: Centre) -> None:
    assert public_day.client().get("/api/v1/orders/SO-1042").status_code == 401


# -- hostile texts ---------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\" onmouseover='alert(1)",
    "{{ 7*7 }}{% raw %}",
    "SO/../../x?y#z",
    "a b&amp;c",
    "заказ 7",
    "%2e%2e%2f",
    "=1+1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_text(floor: Floor, viewer: TestClient, text: str) -> None:
    name = text[:64]
    floor.operators({"E1": text})
    floor.order(name, [line("1", text[:64], 2, name=text)], barcodes=[text])
    floor.kiosk(
        "dock-1",
        views={"1": floor.view(1, operator="E1", order=name, scanned=1, pending=1, mode=text, held=True,
                               last={"signal": text, "reason": text})},
        health={"errors": [text], "uplink": {"refused": 1, "last_refusal": text}},
    )  # fmt: skip
    floor.box("dock-1", name, [("1", text[:64], [text])], label=text, size=(text, 1, 2, 3), operator="E1", name=text)
    floor.event("dock-1", "order.held", {"verdict": "v", "order": name, "unit": text, "reason": text}, ago_s=1)
    floor.event("dock-1", "scan.rejected", {"order": name, "reason": text, "code": text, "seen": text}, ago_s=1)
    floor.roles(name, picking="E1", packing=text)
    encoded = quote(name, safe="")
    paths = ["/", "/orders", f"/orders/{encoded}", f"/find?q={encoded}", f"/orders/{encoded}/packing-list",
             f"/orders/{encoded}/ticket", f"/orders?q={encoded}"]  # fmt: skip
    for path in paths:
        page = opened(viewer, path)
        assert text in "".join(data for _, data in page.texts) or path.startswith("/orders?"), path
        assert not page.all("img")
        assert "49{%" not in page.text
    # Every link to the order leads to it.
    links = {link for link in opened(viewer, "/orders").links() if link.startswith("/orders/")}
    assert links == {f"/orders/{encoded}"}


INVISIBLE = {
    "A\nB": "A\\x0aB",
    "gpj\u202eexe.": "gpj\\u202eexe.",
    "a\u200bb": "a\\u200bb",
    "tab\there": "tab\\x09here",
    "\u2066x\u2069": "\\u2066x\\u2069",
}


@pytest.mark.parametrize("label", INVISIBLE)
def test_invisible_characters_are_written_out(floor: Floor, viewer: TestClient, label: str) -> None:
    floor.order("SO-1", [line("1", "A", 2)])
    floor.kiosk("dock-1")
    floor.box("dock-1", "SO-1", [("1", "A", [imei(1)])], label=label)
    for path in ("/orders/SO-1", f"/find?q={quote(imei(1))}", "/orders/SO-1/packing-list"):
        text = viewer.get(path).text
        assert INVISIBLE[label] in text, path
        assert label not in text


def test_reports_that_cannot_be_read_do_not_break_the_page(floor: Floor, viewer: TestClient) -> None:
    broken = {"time": "yesterday", "state": 5}
    floor.kiosk("dock-1", views={"1": floor.view(1)}, health={"uplink": {"backlog": "many"}})
    floor.kiosk("dock-2", views={"1": broken})
    text = opened(viewer, "/").text
    assert "dock-1" in text
    assert "What this bench says of itself cannot be read." in text


@pytest.mark.parametrize("query", ["%00", "%ff", "x" * 5000, "%ED%A0%80", "\u202e"])
def test_no_search_breaks_the_page(supervisor: TestClient, query: str) -> None:
    for path in (f"/find?q={query}", f"/orders?q={query}", f"/orders?before={query}&status={query}"):
        opened(supervisor, path)


# -- static files ----------------------------------------------------------------------------------------------------


def test_static_files_are_cached_by_their_content(sqlite_centre: Centre) -> None:
    page = opened(sqlite_centre.client(), "/sign-in")
    addresses = [script["src"] for script in page.all("script")] + [link["href"] for link in page.all("link")]
    assert len(addresses) == 5
    for address in addresses:
        response = sqlite_centre.client().get(address)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["nothing.js", "../app.py", "..%2fapp.py", "%2e%2e/app.py", "", "vendor", "%00"])
def test_nothing_else_is_served(sqlite_centre: Centre, path: str) -> None:
    assert sqlite_centre.client().get(f"/static/{path}").status_code == 404


def test_json_of_the_page_is_valid(sqlite_centre: Centre) -> None:
    page = opened(sqlite_centre.client(), "/sign-in")
    config = next(meta["content"] for meta in page.all("meta") if meta.get("name") == "htmx-config")
    assert json.loads(config)["allowEval"] is False

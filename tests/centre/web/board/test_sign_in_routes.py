"""Signing in and out, as a browser does it."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from centre.moments import moment
from centre.store.schema import audit, session
from centre.web.accounts import make_sign_in_link
from centre.web.scopes import UserRole
from centre.web.sessions import COOKIE
from tests.centre.web.board.html_checks import page_of
from tests.centre.web.conftest import PASSWORD, Centre, MakeCentre

GOOD = {"name": "Robin", "password": PASSWORD}


@pytest.fixture
def robins(sqlite_centre: Centre) -> Centre:
    """A centre with one user."""
    sqlite_centre.add_user("Robin", UserRole.SUPERVISOR)
    return sqlite_centre


def post(client: TestClient, path: str, form: dict[str, str], **headers: str) -> Any:
    return client.post(path, data=form, follow_redirects=False, headers=headers)


def csrf_of(client: TestClient) -> str:
    page = page_of(client.get("/").text)
    return next(field["value"] for field in page.all("input") if field.get("name") == "csrf")


def test_password_signs_in_and_leads_to_where_one_wanted_to_go(robins: Centre) -> None:
    client = robins.client()
    page = page_of(client.get("/orders?q=1").text)
    fields = {field["name"]: field.get("value", "") for field in page.all("input")}
    assert fields["next"] == "/orders?q=1"
    response = post(client, "/sign-in", {**fields, **GOOD})
    assert (response.status_code, response.headers["location"]) == (303, "/orders?q=1")
    assert client.get("/").status_code == 200
    assert "Robin" in client.get("/").text


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(robins: Centre) -> None:
    cookie = post(robins.client(), "/sign-in", GOOD).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_cookie_is_for_tls_alone_where_there_is_tls(make_centre: MakeCentre, robins: Centre) -> None:
    centre = make_centre(robins.database, behind_proxy=True)
    cookie = post(centre.client(), "/sign-in", GOOD).headers["set-cookie"].lower()
    assert "; secure" in cookie


def test_refusal_does_not_tell_whether_the_user_exists(robins: Centre) -> None:
    answers = []
    for form in ({**GOOD, "password": "wrong"}, {"name": "Nobody", "password": PASSWORD}, {"name": "", "password": ""}):
        response = post(robins.client(), "/sign-in", {**form, "next": "/orders"})
        assert response.status_code == 403
        page_of(response.text)
        assert "set-cookie" not in response.headers
        answers.append(response.text)
    assert len(set(answers)) == 1
    assert "Name or password are wrong." in answers[0]


def test_too_many_tries_have_to_wait(robins: Centre) -> None:
    answers = [post(robins.client(), "/sign-in", {**GOOD, "password": "wrong"}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Too many tries." in page_of(answers[-1].text).text
    assert post(robins.client(), "/sign-in", GOOD).status_code == 429


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "", "/sign-out", "/ü"]
)
def test_sign_in_leads_to_no_other_site(robins: Centre, next: str) -> None:
    assert post(robins.client(), "/sign-in", {**GOOD, "next": next}).headers["location"] == "/"


def test_page_of_another_site_cannot_sign_anybody_in(robins: Centre) -> None:
    response = post(robins.client(), "/sign-in", GOOD, **{"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert "another site" in page_of(response.text).text


def test_who_is_signed_in_is_led_on(robins: Centre) -> None:
    client = robins.client()
    post(client, "/sign-in", GOOD)
    response = client.get("/sign-in?next=/orders", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/orders")


# -- links -----------------------------------------------------------------------------------------------------------


def link_of(centre: Centre) -> str:
    with centre.database.writing() as connection:
        return make_sign_in_link(connection, "Robin", actor="command", now=moment(centre.clock.now()))


def follow(client: TestClient, link: str) -> Any:
    return client.get(link, follow_redirects=False)


def test_link_signs_in_once(robins: Centre) -> None:
    link = link_of(robins)
    client = robins.client()
    assert follow(client, link).headers["location"] == "/"
    assert client.get("/orders").status_code == 200
    second = follow(robins.client(), link)
    assert second.status_code == 403
    assert "This link has been used, or is too old." in page_of(second.text).text


def test_link_on_a_page_of_another_site_is_refused_and_not_used_up(robins: Centre) -> None:
    link = link_of(robins)
    assert robins.client().get(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert follow(robins.client(), link).status_code == 303


def test_link_is_good_for_a_day(robins: Centre) -> None:
    link = link_of(robins)
    robins.clock.pass_by(hours=25)
    assert follow(robins.client(), link).status_code == 403


# -- the end ---------------------------------------------------------------------------------------------------------


def test_sign_out_ends_the_session(robins: Centre) -> None:
    client = robins.client()
    post(client, "/sign-in", GOOD)
    cookie = client.cookies[COOKIE]
    response = post(client, "/sign-out", {"csrf": csrf_of(client)})
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
    client.cookies.set(COOKIE, cookie)
    assert client.get("/", follow_redirects=False).status_code == 303
    with robins.database.reading() as connection:
        assert not connection.execute(session.select()).all()


def test_sign_out_needs_the_token_of_the_session(robins: Centre) -> None:
    client = robins.client()
    post(client, "/sign-in", GOOD)
    assert post(client, "/sign-out", {"csrf": "wrong"}).status_code == 403
    assert client.get("/orders", follow_redirects=False).status_code == 200


def test_sign_out_of_a_session_that_has_ended_is_no_error(robins: Centre) -> None:
    assert post(robins.client(), "/sign-out", {}).status_code == 303


def test_what_a_page_asks_by_itself_does_not_keep_a_session_alive(robins: Centre) -> None:
    client = robins.client()
    post(client, "/sign-in", GOOD)
    for _ in range(13):
        robins.clock.pass_by(hours=1)
        client.get("/", headers={"HX-Request": "true"})
    assert client.get("/", follow_redirects=False).status_code == 303


def test_session_in_use_lives_on(robins: Centre) -> None:
    client = robins.client()
    post(client, "/sign-in", GOOD)
    for _ in range(13):
        robins.clock.pass_by(hours=1)
        assert client.get("/", follow_redirects=False).status_code == 200


def test_sign_ins_are_in_the_audit(robins: Centre) -> None:
    post(robins.client(), "/sign-in", GOOD)
    with robins.database.reading() as connection:
        rows = connection.execute(audit.select()).all()
    assert [(row.actor, row.action) for row in rows][-1] == ("user:Robin", "user.sign_in")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"name=%ff&password=%00", b"name=a" * 10_000, b""])
def test_strange_forms_are_refused(robins: Centre, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert robins.client().post("/sign-in", content=body, headers=headers).status_code in (400, 403, 413)


def test_files_in_the_form_are_refused(robins: Centre) -> None:
    response = robins.client().post("/sign-in", files={"name": ("x", b"x"), "password": ("y", b"y")})
    assert response.status_code in (400, 403)

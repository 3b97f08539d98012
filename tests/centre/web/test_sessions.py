"""Signing in and out: passwords, links, sessions that end, and the throttle."""

import pytest

from centre.centre_errors import Refused
from centre.moments import moment
from centre.store.audit_rows import audit_page
from centre.web.accounts import (
    change_password,
    change_role,
    first_account,
    make_sign_in_link,
    remove_user,
)
from centre.web.scopes import Caller, Scope, UserRole
from centre.web.sessions import NewSession, Sessions, SignInRefused
from tests.centre.web.conftest import PASSWORD, Centre

ADDRESS = "192.0.2.7"


def sessions_of(centre: Centre) -> Sessions:
    found: Sessions = centre.app.state.access.sessions
    return found


def begun(answer: NewSession | SignInRefused) -> NewSession:
    assert isinstance(answer, NewSession)
    return answer


def caller(centre: Centre, session: NewSession) -> Caller | None:
    return sessions_of(centre).caller(session.secret)


def test_a_password_signs_in(centre: Centre) -> None:
    centre.add_user("ann", UserRole.SUPERVISOR)
    session = begun(sessions_of(centre).sign_in("ann", PASSWORD, ADDRESS))
    found = caller(centre, session)
    assert found is not None
    assert (found.actor, found.scope, found.user, found.csrf) == ("user:ann", Scope.ORDERS, "ann", session.csrf)
    with centre.database.reading() as connection:
        assert [row.action for row in audit_page(connection, limit=9)] == ["user.sign_in", "user.add"]


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong"), ("bob", PASSWORD), ("ann\0", PASSWORD), ("\ud800", "\ud800"), ("", "")]
)
def test_anything_else_does_not(centre: Centre, name: str, password: str) -> None:
    centre.add_user("ann", UserRole.VIEWER)
    assert sessions_of(centre).sign_in(name, password, ADDRESS) == SignInRefused()


def test_a_session_ends_when_idle_and_after_a_week(sqlite_centre: Centre) -> None:
    centre = sqlite_centre
    centre.add_user("ann", UserRole.VIEWER)
    session = begun(sessions_of(centre).sign_in("ann", PASSWORD, ADDRESS))
    for _ in range(14):
        centre.clock.pass_by(hours=11.9)
        assert caller(centre, session)
    centre.clock.pass_by(hours=2)
    assert caller(centre, session) is None
    other = begun(sessions_of(centre).sign_in("ann", PASSWORD, ADDRESS))
    centre.clock.pass_by(hours=12)
    assert caller(centre, other) is None


def test_a_session_ends_by_signing_out_a_new_password_and_removal(sqlite_centre: Centre) -> None:
    centre, now = sqlite_centre, moment(sqlite_centre.clock.now())
    centre.add_user("ann", UserRole.VIEWER)
    first, second = (begun(sessions_of(centre).sign_in("ann", PASSWORD, ADDRESS)) for _ in range(2))
    sessions_of(centre).sign_out(first.secret)
    assert caller(centre, first) is None
    assert caller(centre, second)
    with centre.database.writing() as connection:
        change_password(connection, "ann", "another password", actor="command", now=now)
    assert caller(centre, second) is None
    third = begun(sessions_of(centre).sign_in("ann", "another password", ADDRESS))
    with centre.database.writing() as connection:
        remove_user(connection, "ann", actor="command", now=now)
    assert caller(centre, third) is None


def test_a_new_role_counts_at_once(sqlite_centre: Centre) -> None:
    centre = sqlite_centre
    centre.add_user("ann", UserRole.VIEWER)
    session = begun(sessions_of(centre).sign_in("ann", PASSWORD, ADDRESS))
    with centre.database.writing() as connection:
        change_role(connection, "ann", UserRole.ADMIN, actor="command", now=moment(centre.clock.now()))
    found = caller(centre, session)
    assert found is not None
    assert found.scope is Scope.ADMIN


def test_a_link_works_once_and_for_a_day(centre: Centre) -> None:
    centre.add_user("ann", UserRole.VIEWER)
    links = []
    for _ in range(2):
        with centre.database.writing() as connection:
            path = make_sign_in_link(connection, "ann", actor="command", now=moment(centre.clock.now()))
        links.append(path.rsplit("/", 1)[1])
    assert caller(centre, begun(sessions_of(centre).sign_in_by_link(links[0], ADDRESS)))
    assert sessions_of(centre).sign_in_by_link(links[0], ADDRESS) == SignInRefused()
    centre.clock.pass_by(days=1)
    assert sessions_of(centre).sign_in_by_link(links[1], ADDRESS) == SignInRefused()


def test_wrong_passwords_from_one_address_are_slowed_down(sqlite_centre: Centre) -> None:
    centre = sqlite_centre
    centre.add_user("ann", UserRole.VIEWER)
    sessions = sessions_of(centre)
    for number in range(10):
        assert sessions.sign_in(f"x{number}", "wrong", ADDRESS) == SignInRefused()
    refused = sessions.sign_in("ann", PASSWORD, ADDRESS)
    assert isinstance(refused, SignInRefused)
    assert 0 < refused.wait_s <= 30
    begun(sessions.sign_in("ann", PASSWORD, "192.0.2.8"))
    centre.clock.pass_by(seconds=30)
    begun(sessions.sign_in("ann", PASSWORD, ADDRESS))


def test_one_account_tried_from_many_addresses_is_slowed_down(sqlite_centre: Centre) -> None:
    centre = sqlite_centre
    sessions = sessions_of(centre)
    answers = [sessions.sign_in("ann", "wrong", f"192.0.2.{number}") for number in range(21)]
    assert answers[:20] == [SignInRefused()] * 20
    assert isinstance(answers[20], SignInRefused)
    assert answers[20].wait_s > 0


def test_the_first_account_is_made_once(centre: Centre) -> None:
    with centre.database.writing() as connection:
        account = first_account(connection, now=moment(centre.clock.now()))
        assert first_account(connection, now=moment(centre.clock.now())) is None
    assert account is not None
    begun(sessions_of(centre).sign_in("admin", account.password, ADDRESS))
    begun(sessions_of(centre).sign_in_by_link(account.link.removeprefix("/sign-in/"), ADDRESS))


def test_the_first_account_is_made_beside_users_who_cannot_administer(sqlite_centre: Centre) -> None:
    centre, now = sqlite_centre, moment(sqlite_centre.clock.now())
    centre.add_user("ann", UserRole.SUPERVISOR)
    with centre.database.writing() as connection:
        assert first_account(connection, now=now) is not None


def test_nobody_is_made_beside_an_admin(sqlite_centre: Centre) -> None:
    centre, now = sqlite_centre, moment(sqlite_centre.clock.now())
    centre.add_user("ann", UserRole.ADMIN)
    with centre.database.writing() as connection:
        assert first_account(connection, now=now) is None


def test_the_only_admin_stays(sqlite_centre: Centre) -> None:
    centre, now = sqlite_centre, moment(sqlite_centre.clock.now())
    centre.add_user("ann", UserRole.ADMIN)
    with centre.database.writing() as connection:
        with pytest.raises(Refused):
            remove_user(connection, "ann", actor="command", now=now)
        with pytest.raises(Refused):
            change_role(connection, "ann", UserRole.VIEWER, actor="command", now=now)

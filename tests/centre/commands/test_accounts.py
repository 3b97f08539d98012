"""Users and tokens by the command line."""

import re

from tests.centre.commands.conftest import Command


def test_a_user_from_the_first_to_the_last_day(centre: Command) -> None:
    assert centre("user", "add", "anna", "--role", "admin", stdin="correct horse\n") == (0, "", "")
    assert centre("user", "add", "ben", "--role", "viewer", stdin="battery staple\r\n").code == 0
    listed = centre("user", "list").out.splitlines()
    assert [line.split()[0::2] for line in listed] == [["admin", "anna"], ["viewer", "ben"]]
    assert centre("user", "password", "ben", stdin="another staple\n") == (0, "", "")
    assert centre("user", "remove", "ben") == (0, "", "")
    assert len(centre("user", "list").out.splitlines()) == 1


def test_what_is_refused_about_users(centre: Command) -> None:
    assert centre("user", "add", "anna", "--role", "admin") == (
        1,
        "",
        "kiosk-centre: no password: it is the first line of standard input\n",
    )
    assert centre("user", "add", "anna", "--role", "admin", stdin="short\n").code == 1
    assert centre("user", "add", "anna", "--role", "admin", stdin="long enough\n").code == 0
    assert "already" in centre("user", "add", "anna", "--role", "admin", stdin="long enough\n").err
    assert "only admin" in centre("user", "remove", "anna").err
    assert "no user" in centre("user", "password", "nobody", stdin="long enough\n").err


def test_a_token_is_printed_alone_and_once(centre: Command) -> None:
    added = centre("token", "add", "oms", "--scope", "orders")
    assert re.fullmatch(r"kct_[\w-]{40,}\n", added.out)
    assert (added.code, added.err) == (0, "")
    listed = centre("token", "list").out
    assert re.fullmatch(r"orders  \S+  never used +oms\n", listed)
    assert added.out.strip() not in listed
    assert centre("token", "revoke", "oms").out == "revoked 1 token\n"
    assert "revoked" in centre("token", "list").out
    assert centre("token", "revoke", "oms").code == 1


def test_a_name_cannot_send_control_sequences(centre: Command) -> None:
    assert centre("token", "add", "a\x1b[31m", "--scope", "read").code == 1

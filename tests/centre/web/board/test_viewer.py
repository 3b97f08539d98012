import pytest

from centre.web.board.viewer import Viewer, safe_next
from centre.web.scopes import Caller, Scope


@pytest.mark.parametrize("path", ["/", "/orders?q=a%2Fb&status=open", "/orders/SO%2F1", "/?wall"])
def test_paths_of_this_site_are_followed(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "text",
    [None, "", "orders", "//evil", "/\\evil", "\\\\evil", "https://evil", "/\t/evil", "/a\\b", "/sign-in", "/\n", "/é"],
)
def test_everything_else_leads_to_the_first_page(text: str | None) -> None:
    assert safe_next(text) == "/"


def test_who_may_do_what() -> None:
    stranger, guest = Viewer(), Viewer(is_public=True)
    viewer, supervisor = (
        Viewer(caller=Caller(actor="user:R", scope=scope, key="k", csrf="c")) for scope in (Scope.READ, Scope.ORDERS)
    )
    people = (stranger, guest, viewer, supervisor)
    assert [one.may_read for one in people] == [False, True, True, True]
    assert [one.sees_operators for one in people] == [False, False, True, True]
    assert [one.may_change for one in people] == [False, False, False, True]
    assert [one.user for one in people] == [None, None, "R", "R"]

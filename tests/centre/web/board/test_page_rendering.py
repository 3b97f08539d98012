import pytest
from markupsafe import Markup

from centre.web.board.page_rendering import find_url, order_url, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [("SO-1 ü", "SO-1 ü"), ("a\nb", "a\\x0ab"), ("\u202e", "\\u202e"), ("\U000e0041", "\\U000e0041"),
     ("a\u00a0b", "a b"), ("\ud800", "\\ud800")],
)  # fmt: skip
def test_invisible_characters_are_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_markup_and_numbers_stay() -> None:
    assert visible(Markup("<b>\n</b>")) == "<b>\n</b>"
    assert visible(5) == 5
    assert visible(None) is None


def test_addresses_hold_any_text() -> None:
    assert order_url("SO/1?#%ü") == "/orders/SO%2F1%3F%23%25%C3%BC"
    assert find_url("a&b=c d") == "/find?q=a%26b%3Dc+d"

"""Text from outside made safe to print."""

from centre.legible import legible, quoted


def test_printable_text_stays() -> None:
    assert legible("Zürich 東京") == "Zürich 東京"


def test_control_characters_and_backslashes_are_escaped() -> None:
    assert legible("a\n\x1b[31m\\\u2028\U000e0001") == r"a\n\x1b[31m\\\u2028\U000e0001"


def test_quotes_are_escaped_within_quotes() -> None:
    assert quoted('a "b"\t') == r'"a \"b\"\t"'

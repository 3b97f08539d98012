"""Editing a line that the terminal does not echo."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.demo.line_editor import LineEditor

TYPED = st.lists(
    st.one_of(
        st.sampled_from([b"\n", b"\r", b"\x7f", b"\x15", b"\x04", b"\x1d"]),
        st.sampled_from([b"\x1b[A", b"\x1bOP", b"\x1b[1;5C", b"\x1bx"]),
        st.characters(exclude_categories=["Cc", "Cs"]).map(str.encode),
    )
).map(b"".join)


@pytest.mark.parametrize(
    ("typed", "lines", "rest"),
    [
        (b"save\n", [b"save"], ""),
        (b"save\r\n", [b"save"], ""),
        (b"\n\n\r", [], ""),
        (b"imei 1\rimei 2\rim", [b"imei 1", b"imei 2"], "im"),
        (b"sva\x7f\x7fave\n", [b"save"], ""),
        (b"a\x7f\x7f\x7fb\n", [b"b"], ""),
        ("caé\x7ff\n".encode(), [b"caf"], ""),
        (b"wrong\x15save\n", [b"save"], ""),
        (b"sa\x1b[Ave\n", [b"save"], ""),
        (b"sa\x1bOPve\n", [b"save"], ""),
        (b"sa\x1b[1;5Cve\n", [b"save"], ""),
        (b"]d2010950600013435221ABC\x1d8002\n", [b"]d2010950600013435221ABC\x1d8002"], ""),
    ],
)
def test_lines(typed: bytes, lines: list[bytes], rest: str) -> None:
    editor = LineEditor()
    assert editor.feed(typed) == lines
    assert editor.line == rest
    assert not editor.is_over


@given(TYPED, st.integers(min_value=1, max_value=5))
def test_it_does_not_matter_how_the_bytes_come(typed: bytes, size: int) -> None:
    whole, pieces = LineEditor(), LineEditor()
    lines = whole.feed(typed)
    assert [line for at in range(0, len(typed), size) for line in pieces.feed(typed[at : at + size])] == lines
    assert (pieces.line, pieces.is_over) == (whole.line, whole.is_over)


@given(TYPED)
def test_no_escape_reaches_a_line(typed: bytes) -> None:
    editor = LineEditor()
    for line in (*editor.feed(typed), editor.rest()):
        assert not {0x1B, 0x7F, 0x0A, 0x0D, 0x15, 0x04} & set(line)


def test_ctrl_d_ends_the_input_only_in_an_empty_line() -> None:
    editor = LineEditor()
    editor.feed(b"sa\x04ve")
    assert (editor.is_over, editor.line) == (False, "save")
    editor.feed(b"\n\x04")
    assert editor.is_over


def test_what_was_not_ended_is_the_rest() -> None:
    editor = LineEditor()
    assert editor.feed(b"save") == []
    assert editor.rest() == b"save"
    assert editor.line == ""


def test_a_flood_without_an_end_is_bounded() -> None:
    editor = LineEditor()
    editor.feed(b"x" * 100_000)
    assert len(editor.rest()) == 4096

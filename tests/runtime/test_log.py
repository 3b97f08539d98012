"""Logs: one safe line a record, whatever is in it."""

import io
import logging
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from agent.runtime import log
from agent.runtime.log import LineFormatter, escape, is_journal, quote


def record(message: str, *args: object, level: int = logging.INFO, **fields: object) -> logging.LogRecord:
    one = logging.LogRecord("agent.uplink", level, __file__, 1, message, args, None)
    one.__dict__.update(fields)
    one.created, one.msecs = 0.25, 250.0
    return one


def test_line_for_a_terminal() -> None:
    line = LineFormatter(journal=False).format(
        record("connected to %s", "b", host="a b", port=1, level=logging.WARNING)
    )
    assert line == '1970-01-01T00:00:00.250Z WARNING agent.uplink: connected to b host="a b" port=1'


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7), (35, 6)],
)
def test_line_for_the_journal_has_its_priority(level: int, priority: int) -> None:
    line = LineFormatter(journal=True).format(record("stopped", level=level, why="asked"))
    assert line == f"<{priority}>agent.uplink: stopped why=asked"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("left", "left"),
        ("", '""'),
        ("a=b", '"a=b"'),
        ('say "x"', r'"say \"x\""'),
        ("a\x1d\x1b[2J\n", r'"a\x1d\x1b[2J\n"'),
        ("\u202e\udcff", r'"\u202e\udcff"'),
        ("\U000e0001", r'"\U000e0001"'),
        ("C:\\x", r'"C:\\x"'),
        ("Büro", "Büro"),
        (b"4901\xff", '"4901ÿ"'.strip('"')),
        (None, "None"),
        (SecretStr("hunter2"), "**********"),
    ],
)
def test_fields_are_quoted_where_needed(value: object, shown: str) -> None:
    assert LineFormatter(journal=True).format(record("x", key=value)) == f"<6>agent.uplink: x key={shown}"


def test_exception_stays_on_the_line() -> None:
    try:
        raise OSError(5, "no\x07 luck")
    except OSError as exc:
        one = record("failed")
        one.exc_info = (type(exc), exc, exc.__traceback__)
    line = LineFormatter(journal=True).format(one)
    assert line.isprintable()
    assert line.startswith('<6>agent.uplink: failed exception="Traceback (most recent call last):\\n')
    assert line.endswith('OSError: [Errno 5] no\\x07 luck"')


@given(message=st.text(), key=st.text() | st.binary())
def test_any_record_is_one_printable_line(message: str, key: object) -> None:
    """Rule: `scanning.md#control-characters`."""
    line = LineFormatter(journal=True).format(record("%s", message, key=key))
    assert line.isprintable()


@given(text=st.text(st.characters(codec="utf-8")))
def test_escape_is_reversible(text: str) -> None:
    escaped = escape(text)
    assert escaped.isprintable()
    by_python = "".join(
        char if ord(char) < 128 else char.encode("unicode_escape").decode() for char in escaped
    ).encode()
    assert by_python.decode("unicode_escape") == text


def test_quote_escapes_quotes() -> None:
    assert quote('a"b\\') == r'"a\"b\\"'


def test_is_journal_only_for_the_stream_that_systemd_announced() -> None:
    with open(os.devnull, "w") as stream:
        stat = os.fstat(stream.fileno())
        assert is_journal(stream, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
        assert not is_journal(stream, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino + 1}"})
        assert not is_journal(stream, {})
    assert not is_journal(io.StringIO(), {"JOURNAL_STREAM": "1:1"})


@pytest.mark.usefixtures("logs_as_before")
def test_configure_shows_our_info_and_other_libraries_warnings() -> None:
    out = io.StringIO()
    log.configure(io.StringIO())
    log.configure(out)
    logging.getLogger("agent.daemon.root").info("ours")
    logging.getLogger("agent.daemon.root").debug("details")
    logging.getLogger("paho").info("theirs")
    logging.getLogger("paho").warning("their trouble")
    lines = [line.split(" ", 2)[2] for line in out.getvalue().splitlines()]
    assert lines == ["agent.daemon.root: ours", "paho: their trouble"]


@pytest.mark.usefixtures("logs_as_before")
def test_configure_escapes_characters_that_the_encoding_lacks() -> None:
    raw = io.BytesIO()
    log.configure(io.TextIOWrapper(raw, "ascii", write_through=True))
    logging.getLogger("agent.daemon.root").info("Büro")
    assert raw.getvalue().endswith(b"agent.daemon.root: B\\xfcro\n")

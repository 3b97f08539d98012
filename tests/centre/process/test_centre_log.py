"""The log: one line a fact, whatever is in it, and no flood."""

import io
import logging

import pytest

from centre.process.centre_log import CentreLineFormatter, KindLimit, configure_log

pytestmark = pytest.mark.usefixtures("logs_as_before")


def record(text: str, *, created: float = 0.0, **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "centre.x", "msg": text, "levelno": logging.INFO, "levelname": "INFO"})
    made.created, made.msecs = created, 0.0
    vars(made).update(fields)
    return made


def test_a_line_has_message_and_fields() -> None:
    line = CentreLineFormatter(journal=False).format(record("broker lost", broker="h:1", why='a "b"'))
    assert line == r'1970-01-01T00:00:00.000Z INFO centre.x: broker lost broker=h:1 why="a \"b\""'


def test_for_journald_it_starts_with_the_priority() -> None:
    assert CentreLineFormatter(journal=True).format(record("x")) == "<6>centre.x: x"


def test_nothing_breaks_a_line() -> None:
    line = CentreLineFormatter(journal=True).format(record("a\nb", order="\x1b[31m\n"))
    assert line == r'<6>centre.x: a\nb order="\x1b[31m\n"'


def test_a_flood_of_one_kind_is_cut_and_counted() -> None:
    limit = KindLimit(most=2, span_s=60)
    assert [limit.filter(record("a", created=at)) for at in (0, 1, 2, 3)] == [True, True, False, False]
    assert limit.filter(record("b", created=3))
    later = record("a", created=60)
    assert limit.filter(later)
    assert vars(later)["left_out"] == 2


def test_libraries_are_heard_from_warnings_on() -> None:
    stream = io.StringIO()
    configure_log(stream)
    logging.getLogger("uvicorn").info("quiet")
    logging.getLogger("uvicorn").warning("loud")
    logging.getLogger("centre.x").info("ours")
    assert [line.split(": ")[1] for line in stream.getvalue().splitlines()] == ["loud", "ours"]

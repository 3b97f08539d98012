"""What brokers should retain and have taken: the rows that publishers read and write."""

from sqlalchemy import select

from centre.store.database import Database
from centre.store.message_rows import RetainedMessage, save_messages
from centre.store.retained_rows import (
    RetainedRow,
    changed_rows,
    drop_cleared,
    forget_other_brokers,
    forget_sent,
    note_sent,
    replace_sent,
    sent_digests,
    sent_to,
)
from centre.store.schema import retained

AT = "2026-11-28T12:00:00.000Z"
EMPTY = b"digest of nothing"


def save(database: Database, **payloads: bytes) -> None:
    """Save messages, by topic, all of the site `a`, but for topics that begin with `b`."""
    rows = [RetainedMessage(topic=topic, payload=payload, site=topic[0]) for topic, payload in payloads.items()]
    with database.writing() as connection:
        save_messages(connection, rows)


def changed(database: Database, after: int, *, limit: int = 10, sites: tuple[str, ...] = ("a",)) -> list[RetainedRow]:
    with database.reading() as connection:
        return changed_rows(connection, sites, after=after, limit=limit)


def topics_left(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(connection.execute(select(retained.c.topic)).scalars())


def test_changes_are_read_in_their_order_and_once(database: Database) -> None:
    save(database, a1=b"1", a2=b"2", b1=b"other site")
    first = changed(database, -1)
    assert [(row.topic, row.payload) for row in first] == [("a1", b"1"), ("a2", b"2")]
    assert [row.topic for row in changed(database, -1, limit=1)] == ["a1"]
    assert changed(database, first[-1].change) == []
    save(database, a1=b"3")
    assert [(row.topic, row.payload) for row in changed(database, first[-1].change)] == [("a1", b"3")]
    assert [row.topic for row in changed(database, -1, sites=("a", "b"))] == ["a2", "b1", "a1"]


def test_what_a_broker_has_taken(database: Database) -> None:
    save(database, a1=b"1", a2=b"2")
    with database.writing() as connection:
        note_sent(connection, "x:1", {"a1": b"d1", "a2": b"d2"}, AT)
        note_sent(connection, "y:1", {"a1": b"d1"}, AT)
        note_sent(connection, "x:1", {"a1": b"d3"}, AT)
        assert sent_digests(connection, "x:1") == {"a1": b"d3", "a2": b"d2"}
        assert sent_digests(connection, "x:1", ["a2", "a9"]) == {"a2": b"d2"}
        assert sent_to(connection, ["a1", "a9"]) == {"a1": {"x:1": b"d3", "y:1": b"d1"}, "a9": {}}
        forget_sent(connection, "x:1", ["a1"])
        assert sent_to(connection, ["a1"]) == {"a1": {"y:1": b"d1"}}


def test_a_survey_replaces_what_was_known(database: Database) -> None:
    save(database, a1=b"1", a2=b"2", a3=b"3")
    with database.writing() as connection:
        note_sent(connection, "x:1", {"a1": b"d1", "a2": b"d2"}, AT)
        note_sent(connection, "y:1", {"a1": b"d1"}, AT)
        replace_sent(connection, "x:1", {"a2": b"other", "a3": b"d3", "theirs": b"d"}, AT)
        assert sent_digests(connection, "x:1") == {"a2": b"other", "a3": b"d3"}
        assert sent_digests(connection, "y:1") == {"a1": b"d1"}


def test_a_cleared_topic_goes_when_every_broker_of_its_site_has_cleared_it(database: Database) -> None:
    save(database, a1=b"", a2=b"", a3=b"kept", b1=b"")
    brokers = {"a": ["x:1", "y:1"], "b": ["x:1"]}.__getitem__
    with database.writing() as connection:
        note_sent(connection, "x:1", {"a1": EMPTY, "a2": EMPTY, "a3": EMPTY, "b1": EMPTY}, AT)
        note_sent(connection, "y:1", {"a1": EMPTY, "a2": b"full", "a3": EMPTY}, AT)
        drop_cleared(connection, brokers, empty_digest=EMPTY, topics=["a2", "b1"])
    assert topics_left(database) == {"a1", "a2", "a3"}
    with database.writing() as connection:
        drop_cleared(connection, brokers, empty_digest=EMPTY)
        assert sent_to(connection, ["a1"]) == {"a1": {}}
    assert topics_left(database) == {"a2", "a3"}


def test_brokers_that_are_no_longer_configured_are_forgotten_at_our_sites(database: Database) -> None:
    save(database, a1=b"1", b1=b"1")
    with database.writing() as connection:
        for broker in ("old:1", "kept:1"):
            note_sent(connection, broker, {"a1": b"d", "b1": b"d"}, AT)
        forget_other_brokers(connection, ["a"], ["kept:1"])
        assert sent_to(connection, ["a1", "b1"]) == {"a1": {"kept:1": b"d"}, "b1": {"old:1": b"d", "kept:1": b"d"}}

"""Statements that the two databases write differently."""

from sqlalchemy import select

from centre.store.database import Database
from centre.store.schema import counter, dead_letter
from centre.store.statements import chunks, insert_rows, upsert


def test_many_rows_are_inserted_with_any_text_and_bytes(database: Database) -> None:
    rows = [("t\\n\t,\"'", "ü\n", "", bytes(range(256))), ("\\N", "NULL", "x", b"")]
    with database.writing() as connection:
        insert_rows(connection, dead_letter, ("topic", "reason", "received_at", "payload"), rows)
        insert_rows(connection, dead_letter, ("topic", "reason", "received_at", "payload"), [])
        columns = (dead_letter.c.topic, dead_letter.c.reason, dead_letter.c.received_at, dead_letter.c.payload)
        found = connection.execute(select(*columns).order_by(dead_letter.c.id)).all()
    assert [(*row[:3], bytes(row[3])) for row in found] == rows


def test_an_upsert_updates_what_is_there(database: Database) -> None:
    with database.writing() as connection:
        for number in (1, 2):
            statement = upsert(connection, counter).values(name="a", value=number)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
            )
        assert connection.execute(select(counter.c.value)).scalars().all() == [2]


def test_chunks_hold_all_items_in_order() -> None:
    assert [list(chunk) for chunk in chunks(range(5), 2)] == [[0, 1], [2, 3], [4]]
    assert list(chunks([])) == []

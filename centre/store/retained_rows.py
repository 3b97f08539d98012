"""What brokers should retain (`retained`), and what each broker has taken of it (`sent`), for the publishers."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select

from centre.store.schema import retained, sent
from centre.store.statements import chunks, replace_rows

__all__ = [
    "RetainedRow",
    "changed_rows",
    "drop_cleared",
    "forget_other_brokers",
    "forget_sent",
    "note_sent",
    "replace_sent",
    "sent_digests",
    "sent_to",
]


class RetainedRow(Struct, frozen=True, kw_only=True):
    """What a broker should retain on a topic; an empty payload: nothing. `change` rises with each write."""

    topic: str
    payload: bytes
    change: int


def changed_rows(connection: Connection, sites: Collection[str], *, after: int, limit: int) -> list[RetainedRow]:
    """Return the rows of these sites with a higher `change`, lowest first."""
    columns = [retained.c[name] for name in RetainedRow.__struct_fields__]
    statement = select(*columns).where(retained.c.change > after, retained.c.site.in_(sites))
    rows = connection.execute(statement.order_by(retained.c.change).limit(limit))
    return [RetainedRow(**row._mapping) for row in rows]


# -- what brokers have taken -----------------------------------------------------------------------------------------


def sent_digests(connection: Connection, broker: str, topics: Sequence[str] | None = None) -> dict[str, bytes]:
    """Return the SHA-256 of what a broker has taken, by topic: of all topics, or of these."""
    statement = select(sent.c.topic, sent.c.digest).where(sent.c.broker == broker)
    if topics is None:
        return {row.topic: row.digest for row in connection.execute(statement)}
    found: dict[str, bytes] = {}
    for piece in chunks(topics):
        found.update((row.topic, row.digest) for row in connection.execute(statement.where(sent.c.topic.in_(piece))))
    return found


def note_sent(connection: Connection, broker: str, digests: Mapping[str, bytes], at: str) -> None:
    """Store that a broker has taken what has these digests."""
    rows = [{"broker": broker, "topic": topic, "digest": digest, "at": at} for topic, digest in digests.items()]
    replace_rows(connection, sent, rows)


def replace_sent(connection: Connection, broker: str, digests: Mapping[str, bytes], at: str) -> None:
    """Store that a broker retains what has these digests, of our topics, and nothing else."""
    before = sent_digests(connection, broker)
    ours = {topic for topic in connection.execute(select(retained.c.topic)).scalars() if topic in digests}
    forget_sent(connection, broker, before.keys() - ours)
    changed = {topic: digests[topic] for topic in ours if before.get(topic) != digests[topic]}
    note_sent(connection, broker, changed, at)


def sent_to(connection: Connection, topics: Sequence[str]) -> dict[str, dict[str, bytes]]:
    """Return for each topic, by broker, the SHA-256 of what the broker has taken."""
    found: dict[str, dict[str, bytes]] = {topic: {} for topic in topics}
    for piece in chunks(topics):
        for row in connection.execute(select(sent).where(sent.c.topic.in_(piece))):
            found[row.topic][row.broker] = row.digest
    return found


def forget_other_brokers(connection: Connection, sites: Collection[str], brokers: Collection[str]) -> None:
    """Delete what brokers have taken that are no longer in the configuration of these sites."""
    of_sites = select(retained.c.topic).where(retained.c.site.in_(sites))
    connection.execute(delete(sent).where(sent.c.broker.not_in(brokers), sent.c.topic.in_(of_sites)))


def drop_cleared(
    connection: Connection,
    brokers_of: Callable[[str], Iterable[str]],
    *,
    empty_digest: bytes,
    topics: Sequence[str] | None = None,
) -> None:
    """Delete the rows with an empty payload that every broker of their site has taken: of all topics, or of these."""
    statement = select(retained.c.topic, retained.c.site).where(func.length(retained.c.payload) == 0)
    pieces = [statement] if topics is None else [statement.where(retained.c.topic.in_(one)) for one in chunks(topics)]
    rows = [row for piece in pieces for row in connection.execute(piece)]
    taken = sent_to(connection, [row.topic for row in rows])
    done = [row.topic for row in rows if all(taken[row.topic].get(one) == empty_digest for one in brokers_of(row.site))]
    for piece in chunks(done):
        connection.execute(delete(retained).where(retained.c.topic.in_(piece)))
        connection.execute(delete(sent).where(sent.c.topic.in_(piece)))


def forget_sent(connection: Connection, broker: str, topics: Collection[str]) -> None:
    """Delete what a broker has taken on these topics: somebody else has written there."""
    for piece in chunks(list(topics)):
        connection.execute(delete(sent).where(sent.c.broker == broker, sent.c.topic.in_(piece)))

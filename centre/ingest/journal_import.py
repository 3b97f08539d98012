"""Take in what `kiosk-agent journal export` wrote: the journal of a kiosk that is dead, from its card.

The events go the way of those that come over a broker. What is known already is not stored again.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from centre.ingest.projecting import Renew
from centre.ingest.reception import LetterReason, RefusedMessage, receive
from centre.ingest.transaction import go_on, store_batch
from centre.link.received import Received
from centre.store.database import Database

__all__ = ["ImportedJournal", "RefusedLine", "import_journal"]

BATCH = 500
REFUSED_MAX = 100
"""How many refused lines are named."""


class RefusedLine(NamedTuple):
    """A line of the file that holds no event of a kiosk; the first line is 1."""

    line: int
    reason: LetterReason


class ImportedJournal(NamedTuple):
    """What has come of an import."""

    stored: int
    """New events."""
    known: int
    """Events that were stored before."""
    refused: int
    first_refused: tuple[RefusedLine, ...]


class _Source(Struct):
    source: str


_SOURCE = Decoder(_Source)


def import_journal(database: Database, lines: Iterable[bytes], *, now: str, renew: Renew) -> ImportedJournal:
    """Store the documents in the lines of a file, and what follows from them. Raises DatabaseDown.

    After an error the import can simply be done again. A kiosk whose events have arrived meanwhile is not disturbed.
    """
    refused: list[RefusedLine] = []
    stored = known = letters = 0
    messages = _messages(lines, now, refused)
    while batch := list(islice(messages, BATCH)):
        done = store_batch(database, batch, now=now, renew=renew)
        stored += done.events
        known += len(batch) - done.events - done.letters
        letters += done.letters
        while done.has_more:
            done = go_on(database, now=now, renew=renew)
    return ImportedJournal(stored, known, len(refused) + letters, tuple(refused[:REFUSED_MAX]))


def _messages(lines: Iterable[bytes], now: str, refused: list[RefusedLine]) -> Iterator[Received]:
    """Yield the events in lines as if a broker had sent them; note the lines that hold none."""
    for number, line in enumerate(lines, 1):
        document = line.rstrip(b"\r\n")
        if not document:
            continue
        message = Received("", _topic(document), document, False, now)
        arrival = receive(message)
        if isinstance(arrival, RefusedMessage):
            refused.append(RefusedLine(number, arrival.reason))
        else:
            yield message


def _topic(document: bytes) -> str:
    """Return the topic on which the kiosk would publish a document; a text that is no topic if it names no kiosk."""
    try:
        source = _SOURCE.decode(document).source
    except (DecodeError, ValueError, RecursionError):
        return "kiosk/v1/-/agent/-/event/import"
    _, _, site_and_kiosk = source.partition("/kiosk/")
    return f"kiosk/v1/{site_and_kiosk.replace('/', '/agent/', 1)}/event/import"

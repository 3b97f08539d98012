"""Take a dead letter in again, after what was wrong has been put right."""

from centre.ingest.projecting import Renew
from centre.ingest.reception import RefusedMessage, receive
from centre.ingest.transaction import Stored, store_batch
from centre.link.received import Received
from centre.store import dead_letter_rows
from centre.store.database import Database

__all__ = ["retry_letter"]


def retry_letter(database: Database, id: int, *, now: str, renew: Renew) -> Stored | None:
    """Store the message of a dead letter like one that has just come; the letter is then gone.

    Return None, and change nothing, if it would be refused again or there is no such letter. Raises DatabaseDown.
    """
    with database.reading() as connection:
        letter = dead_letter_rows.letter(connection, id)
    if letter is None:
        return None
    message = Received("", letter.topic, letter.payload, False, now)
    if isinstance(receive(message), RefusedMessage):
        return None
    stored = store_batch(database, [message], now=now, renew=renew)
    # A message that was refused again is a new letter; an event that is stored is not harmed by coming twice.
    with database.writing() as connection:
        dead_letter_rows.remove(connection, id)
    return None if stored.letters else stored

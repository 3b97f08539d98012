"""Acknowledgements: what the centre has stored, told to each kiosk on every broker (`mqtt.md#acknowledgement`).

They are read from the database after the commit, so they never promise more than is stored. An acknowledgement is of
the first run of a journal: a kiosk that holds a copy of it sees an id that is not its own, and begins a new journal.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from msgspec import DecodeError, Struct
from msgspec.json import Decoder, encode
from sqlalchemy import Connection

from centre.centre_errors import LinkDown
from centre.ingest.branches import JournalKey
from centre.link.broker_link import BrokerLink, PublishRefused
from centre.store import journal_rows, kiosk_rows
from centre.store.journal_rows import AckRow

__all__ = ["Acknowledgement", "Acknowledger", "acks_of_all", "acks_of_batch"]

_log = logging.getLogger(__name__)

AT_ONCE = 200
"""How many publishes wait for the broker's answer at a time."""


class Acknowledgement(NamedTuple):
    """All events of a journal up to `through` are stored. `event_id` is None if that one lies in a hole."""

    site: str
    kiosk: str
    journal: str
    through: int
    event_id: str | None

    @property
    def topic(self) -> str:
        return f"kiosk/v1/{self.site}/agent/{self.kiosk}/ack"

    @property
    def payload(self) -> bytes:
        ack = {"journal": self.journal, "through": f"{self.through:012d}"}
        return encode(ack if self.event_id is None else {**ack, "id": self.event_id})


class _StatusJournal(Struct):
    journal: str | None = None


_STATUS = Decoder(_StatusJournal)


def acks_of_batch(connection: Connection, touched: Sequence[JournalKey]) -> list[Acknowledgement]:
    """Return what to send after events of these journals came.

    The topic retains one acknowledgement for each kiosk. The last one is that of the journal that the kiosk has now.
    """
    several = journal_rows.with_several_journals(connection, {key.kiosk_id for key in touched})
    current = _current(connection, several)
    keys = dict.fromkeys(key for key in touched if key not in current)
    keys.update(dict.fromkeys(current))
    rows = {JournalKey(row.kiosk_id, row.journal): row for row in journal_rows.ack_rows(connection, keys)}
    return [_acknowledgement(rows[key]) for key in keys if key in rows]


def acks_of_all(connection: Connection, sites: Collection[str]) -> list[Acknowledgement]:
    """Return what to send to a broker at a connect: one for each kiosk, of its newest journal."""
    newest = {row.kiosk_id: row for row in journal_rows.current_journals(connection, sites)}
    several = journal_rows.with_several_journals(connection, newest)
    named = journal_rows.ack_rows(connection, _current(connection, several))
    newest.update({row.kiosk_id: row for row in named})
    return [_acknowledgement(row) for row in newest.values()]


def _current(connection: Connection, kiosk_ids: Collection[int]) -> set[JournalKey]:
    """Return the journals that kiosks name in their status."""
    found = set()
    for row in kiosk_rows.by_ids(connection, kiosk_ids).values():
        try:
            journal = _STATUS.decode(row.status or "{}").journal
        except (DecodeError, ValueError, RecursionError):
            continue
        if journal is not None and journal.isprintable():
            found.add(JournalKey(row.id, journal))
    return found


def _acknowledgement(row: AckRow) -> Acknowledgement:
    return Acknowledgement(row.site, row.kiosk, row.journal, row.through, row.through_id)


class Acknowledger:
    """Publishes acknowledgements on every broker that serves a site. Used in the event loop's thread.

    What a broker has not taken yet is replaced by a newer acknowledgement of the same journal. What a broker misses
    while it is away, it gets at its next connect.
    """

    def __init__(self, links: Sequence[BrokerLink]) -> None:
        self._links = links
        self._waiting: list[dict[tuple[str, str], bytes]] = [{} for _ in links]
        self._wake = [asyncio.Event() for _ in links]

    def post(self, acks: Iterable[Acknowledgement], *, only: BrokerLink | None = None) -> None:
        """Send acknowledgements, on one broker or on all."""
        for ack in acks:
            key, payload = (ack.topic, ack.journal), ack.payload
            for link, waiting, wake in zip(self._links, self._waiting, self._wake, strict=True):
                if ack.site in link.sites and (only is None or link is only):
                    waiting.pop(key, None)  # the newest goes last
                    waiting[key] = payload
                    wake.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as group:
            for link, waiting, wake in zip(self._links, self._waiting, self._wake, strict=True):
                group.create_task(_publish(link, waiting, wake))


async def _publish(link: BrokerLink, waiting: dict[tuple[str, str], bytes], wake: asyncio.Event) -> None:
    while True:
        await wake.wait()
        wake.clear()
        while waiting:
            some = [(key[0], waiting.pop(key)) for key in list(waiting)[:AT_ONCE]]
            answers = await asyncio.gather(
                *(link.publish(topic, payload, retain=True) for topic, payload in some), return_exceptions=True
            )
            if any(isinstance(answer, LinkDown) for answer in answers):
                waiting.clear()
            for (topic, _), answer in zip(some, answers, strict=True):
                match answer:
                    case PublishRefused():
                        _log.warning("%s refuses %s: %s; check the centre's rights there", link.name, topic, answer)
                    case BaseException() if not isinstance(answer, LinkDown):
                        raise answer

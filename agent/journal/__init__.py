"""The durable event log: what is committed here is on disk, and goes out from here."""

from agent.journal.frames import Commit, StoredEvent
from agent.journal.journal import Head, Journal
from agent.journal.reader import Reader

__all__ = ["Commit", "Head", "Journal", "Reader", "StoredEvent"]

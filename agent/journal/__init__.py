"""The journal: a durable event log on disk, and the queue of what is still to be delivered."""

from agent.journal.journal import Head, Journal
from agent.journal.reader import Reader
from agent.journal.records import Commit, StoredEvent

__all__ = ["Commit", "Head", "Journal", "Reader", "StoredEvent"]

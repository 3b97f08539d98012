"""The types of single values in the messages that a kiosk publishes (`mqtt.md#json-values`).

The patterns are for the JSON Schemas alone. Nothing is checked when a message is written or an event is replayed.
"""

from typing import Annotated

from msgspec import Meta

__all__ = ["JournalId", "SequenceText", "UtcText"]

UtcText = Annotated[str, Meta(extra_json_schema={"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"})]
"""A time in UTC with milliseconds: `2026-11-22T17:53:01.123Z`."""

JournalId = Annotated[str, Meta(extra_json_schema={"pattern": "^.{8}$"})]
"""The id of a journal: 8 characters."""

SequenceText = Annotated[str, Meta(extra_json_schema={"pattern": r"^\d{12}$"})]
"""The number of an event in its journal, as 12 digits."""

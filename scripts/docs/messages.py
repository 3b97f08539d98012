"""The messages with their topics and schemas, from the AsyncAPI document's channels."""

from scripts.docs.asyncapi import Channel, channels
from scripts.docs.markdown import code, table

__all__ = ["messages"]


def messages() -> str:
    """Return a table of what is sent on which topic, and the schema of each message."""
    heads = ("message", "topic", "from", "retained", "schema")
    return table(heads, (_row(channel) for channel in channels()))


def _row(channel: Channel) -> tuple[str, ...]:
    names = channel.messages
    schema = f"[{names[0]}](schemas/{names[0]}.json)" if len(names) == 1 else "see [Event types](#event-types)"
    return (
        channel.title,
        code(channel.topic),
        "kiosk" if channel.is_sent else "centre",
        "yes" if channel.is_retained else "no",
        schema,
    )

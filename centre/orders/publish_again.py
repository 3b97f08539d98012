"""Publishing a message once more, because somebody else has written on its topic."""

from sqlalchemy import Connection

from centre.store.message_rows import load_message, save_messages
from centre.store.retained_rows import forget_sent

__all__ = ["publish_again"]


def publish_again(connection: Connection, broker: str, topic: str) -> None:
    """Have the centre's message for a topic published to a broker again. No-op if the centre has none."""
    message = load_message(connection, topic)
    if message is not None:
        forget_sent(connection, broker, [topic])
        save_messages(connection, [message])

"""The error that refuses a message whole."""

__all__ = ["MessageRefused"]


class MessageRefused(ValueError):
    """A message from the broker is refused whole. `topic` and `fields` name what was wrong."""

    def __init__(self, topic: str, fields: list[str]) -> None:
        super().__init__(f"{topic}: {'; '.join(fields)}")
        self.topic = topic
        self.fields = fields

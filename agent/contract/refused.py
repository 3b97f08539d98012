"""The error that refuses a message as a whole (`mqtt.md#refused-messages`)."""

__all__ = ["MessageRefused"]


class MessageRefused(ValueError):
    """A message from the broker is refused as a whole. `fields` has a line for each wrong field."""

    def __init__(self, topic: str, fields: list[str]) -> None:
        super().__init__(f"{topic}: {'; '.join(fields)}")
        self.topic = topic
        self.fields = fields

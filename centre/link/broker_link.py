"""What the rest of the centre sees of the connection to one broker."""

from typing import Protocol

from centre.centre_errors import CentreError

__all__ = ["BrokerLink", "PublishRefused"]


class PublishRefused(CentreError):
    """The broker does not allow a publish; the connection stays. `code` is the MQTT 5 reason code."""

    def __init__(self, text: str, *, code: int) -> None:
        super().__init__(text)
        self.code = code


class BrokerLink(Protocol):
    """The connection to one broker, which may be down. Used in the event loop's thread."""

    @property
    def name(self) -> str:
        """`host:port`, the name of the broker in log lines and in the table `sent`."""

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites that the broker serves."""

    @property
    def is_connected(self) -> bool: ...

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Publish at QoS 1; return when the broker has answered.

        Any number may wait at once; they are sent in the order of the calls. Raises LinkDown if the connection is down
        or ends before the answer, PublishRefused if the broker refuses it.
        """

"""Parse the centre's messages in the uplink's thread and pass them on; remember those that are refused."""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable

from agent.contract.refused import MessageRefused
from agent.contract.requests import Request
from agent.contract.topics import Inbound, MessageKind
from agent.daemon.task_queue import TaskQueue
from agent.runtime.log_limit import LogLimit

__all__ = ["InboundMessages"]

_log = logging.getLogger(__name__)

_REFUSED_MAX = 20
_ROOM_S = 1.0
"""How long to wait for the scan path at most: the uplink must not hang when the disk hangs."""


def _kind_of(message: Inbound, refused: MessageRefused) -> str:
    """Return the kind of message and why it was refused, without the numbers in it."""
    return re.sub("[0-9]+", "#", f"{message.kind}: {refused.fields[0] if refused.fields else ''}")


class InboundMessages:
    """Hands updates to the scan path's `queue`, and requests to `on_request`. `on_change`: see `refused`."""

    def __init__(
        self,
        queue: TaskQueue,
        *,
        on_request: Callable[[Request], None],
        on_change: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._on_request = on_request
        self._on_change = on_change
        self._now = now
        self._log_limit = LogLimit()
        self._refused: OrderedDict[str, str] = OrderedDict()

    def refused(self) -> list[str]:
        """Return the latest messages that were refused, a line each: topic and fields. Any thread may call this.

        A topic is in it until a sound message comes on it (`mqtt.md#refused-messages`).
        """
        return list(self._refused.values())

    def log_left_out(self) -> None:
        """Log how many refused messages were not logged. To be called every few seconds, by any thread."""
        for kind, count in self._log_limit.take_left_out(self._now()):
            _log.warning("refused more messages of the centre", extra={"kind": kind, "count": count})

    def take(self, message: Inbound) -> None:
        """Take one message. Called in the uplink's thread, which waits here while many messages are not applied yet."""
        self._queue.wait_for_room(_ROOM_S)
        try:
            self._hand_on(message)
        except MessageRefused as exc:
            if self._log_limit.allows(_kind_of(message, exc), self._now()):
                _log.warning(
                    "refused a message of the centre; the one before it stays in force",
                    extra={"topic": exc.topic, "fields": "; ".join(exc.fields)},
                )
            self._refused[message.topic] = str(exc)
            self._refused.move_to_end(message.topic)
            if len(self._refused) > _REFUSED_MAX:
                self._refused.popitem(last=False)
            self._on_change()
        else:
            if self._refused.pop(message.topic, None) is not None:
                self._on_change()

    def _hand_on(self, message: Inbound) -> None:
        # Imported with the first message: the schemas of the messages take time that a start need not wait for.
        from agent.contract import messages

        tell, topic, payload = self._queue.tell, message.topic, message.payload
        if message.discarded_bytes:
            raise messages.too_large(topic, message.discarded_bytes)
        match message.kind:
            case MessageKind.ORDER if not payload:
                tell(lambda path: path.updates.withdraw(message.id))
            case MessageKind.ORDER:
                manifest = messages.manifest_of(message.id, payload, topic=topic)
                tell(lambda path: path.updates.take_manifest(manifest, is_stored=message.retained))
            case MessageKind.REQUEST:
                self._on_request(messages.request_of(message.id, payload, topic=topic))
            case MessageKind.ACK:
                pass  # the uplink has taken it
            case MessageKind.ORDER_INDEX if not payload and message.id:
                tell(lambda path: path.updates.drop_order_index(message.id))
            case MessageKind.BLOCKED if not payload:
                tell(lambda path: path.updates.drop_blocked(message.id))
            case MessageKind.COUNTED if not payload:
                tell(lambda path: path.updates.drop_counted(message.id, message.part))
            case MessageKind.COUNTED:
                counted = messages.counted_of(message.id, message.part, payload, topic=topic)
                tell(lambda path: path.updates.take_counted(counted))
            case _ if not payload:
                pass  # ignored (`mqtt.md#refused-messages`); an empty verdict changes nothing (`mqtt.md#verdicts`)
            case MessageKind.VERDICT:
                verdict = messages.verdict_of(message.id, payload, topic=topic)
                tell(lambda path: path.updates.take_verdict(verdict))
            case MessageKind.ORDER_INDEX:
                index = messages.order_index_of(payload, topic=topic, part=message.id or None)
                tell(lambda path: path.updates.take_order_index(index))
            case MessageKind.OPERATORS:
                operators = messages.operators_of(payload, topic=topic)
                tell(lambda path: path.updates.take_operators(operators))
            case MessageKind.BOXES:
                boxes = messages.boxes_of(payload, topic=topic)
                tell(lambda path: path.updates.take_boxes(boxes))
            case MessageKind.BLOCKED:
                blocked = messages.blocked_of(message.id, payload, topic=topic)
                tell(lambda path: path.updates.take_blocked(blocked))

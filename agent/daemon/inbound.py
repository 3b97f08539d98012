"""What the centre sends, parsed in the uplink's thread and handed to the scan path; what is refused is remembered."""

import logging
from collections import OrderedDict
from collections.abc import Callable

from agent.contract.refused import MessageRefused
from agent.contract.requests import Request
from agent.contract.topics import Inbound, MessageKind
from agent.daemon.scanpath import ScanPath

__all__ = ["Centre"]

_log = logging.getLogger(__name__)

_REFUSED_MAX = 20
_MAX_REFERENCE_BYTES = 16 << 20


class Centre:
    """Hands messages on. `refused` names the latest messages that were refused, and what was wrong in them."""

    def __init__(
        self, scan_path: ScanPath, *, on_request: Callable[[Request], None], on_change: Callable[[], None]
    ) -> None:
        self._scan_path = scan_path
        self._on_request = on_request
        self._on_change = on_change
        self._refused: OrderedDict[str, str] = OrderedDict()

    def refused(self) -> list[str]:
        return list(self._refused.values())

    def take(self, message: Inbound) -> None:
        """One message; called in the uplink's thread."""
        try:
            self._hand_on(message)
        except MessageRefused as exc:
            _log.warning("a message is refused", extra={"topic": exc.topic, "fields": "; ".join(exc.fields)})
            self._refused[message.topic] = str(exc)
            self._refused.move_to_end(message.topic)
            if len(self._refused) > _REFUSED_MAX:
                self._refused.popitem(last=False)
            self._on_change()
        else:
            if self._refused.pop(message.topic, None) is not None:
                self._on_change()

    def _hand_on(self, message: Inbound) -> None:
        # Imported with the first message: it takes the message schemas with it, which a start need not wait for.
        from agent.contract import messages

        path, topic, payload = self._scan_path, message.topic, message.payload
        match message.kind:
            case MessageKind.ORDER if not payload:
                path.tell(lambda: path.withdraw(message.id))
            case MessageKind.ORDER:
                manifest = messages.manifest_of(message.id, payload, topic=topic)
                path.tell(lambda: path.take_manifest(manifest, is_stored=message.retained))
            case MessageKind.REQUEST:
                self._on_request(messages.request_of(message.id, payload, topic=topic))
            case MessageKind.ACK:
                pass  # the uplink's own business
            case _ if not payload:
                pass  # SPEC 5.2: an empty reference message is ignored; a verdict taken back changes nothing
            case MessageKind.VERDICT:
                verdict = messages.verdict_of(message.id, payload, topic=topic)
                path.tell(lambda: path.take_verdict(verdict))
            case _ if len(payload) > _MAX_REFERENCE_BYTES:
                raise MessageRefused(topic, [f"{len(payload)} bytes, at most {_MAX_REFERENCE_BYTES}"])
            case MessageKind.ORDER_INDEX:
                index = messages.order_index_of(payload, topic=topic)
                path.tell(lambda: path.take_order_index(index))
            case MessageKind.OPERATORS:
                operators = messages.operators_of(payload, topic=topic)
                path.tell(lambda: path.take_operators(operators))
            case MessageKind.BOXES:
                boxes = messages.boxes_of(payload, topic=topic)
                path.tell(lambda: path.take_boxes(boxes))
            case MessageKind.BLOCKED:
                blocked = messages.blocked_of(message.id, payload, topic=topic)
                path.tell(lambda: path.take_blocked(blocked))

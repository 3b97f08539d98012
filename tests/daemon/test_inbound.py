"""Messages of the centre on their way to the scan path: parsed, handed on, or refused and named."""

import json
import time
from typing import Any
from unittest.mock import Mock

import pytest

from agent.contract.requests import Request
from agent.contract.topics import Inbound, MessageKind
from agent.daemon.inbound import InboundMessages
from agent.daemon.task_queue import MESSAGES_MAX, TaskQueue

MANIFEST = {
    "order": "SO-1", "revision": 3, "type": "normal", "status": "open",
    "lines": [{"line": "1", "sku": "CASE", "flow": "used", "serialized": False, "quantity": 2}],
}  # fmt: skip
VERDICT = {"revision": 1, "action": "hold", "order": "SO-1", "unit": "490154203237518", "reason": "seen twice"}
SIZE = {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}


def message(kind: MessageKind, payload: object, *, of: str = "", retained: bool = True) -> Inbound:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Inbound(kind=kind, id=of, payload=data, retained=retained, topic=f"t/{kind}/{of}", part="3")


class Centre:
    """Takes messages; `told` are the calls that they become, in the scan path's thread."""

    def __init__(self) -> None:
        self.queue = TaskQueue(lambda: None)
        self.requests: list[Request] = []
        self.changes = 0
        self.inbound = InboundMessages(self.queue, on_request=self.requests.append, on_change=self._change)

    def _change(self) -> None:
        self.changes += 1

    def take(self, *args: Any, **options: Any) -> list[Any]:
        """Take a message; return the calls on `CentreUpdates` that it became."""
        self.inbound.take(message(*args, **options))
        path = Mock()
        while (told := self.queue.next_message()) is not None:
            told(path)
        return list(path.updates.method_calls)


def test_each_kind_becomes_its_update() -> None:
    centre = Centre()
    for kind, of, payload, name in [
        (MessageKind.ORDER, "SO-1", MANIFEST, "take_manifest"),
        (MessageKind.ORDER, "SO-1", b"", "withdraw"),
        (MessageKind.ORDER_INDEX, "", {"revision": 7, "orders": {"SO-1": 3}}, "take_order_index"),
        (MessageKind.OPERATORS, "", {"revision": 4, "items": [{"operator": "E7", "badges": ["B"]}]}, "take_operators"),
        (MessageKind.BOXES, "", {"revision": 1, "items": [SIZE]}, "take_boxes"),
        (MessageKind.BLOCKED, "a", {"revision": 1, "items": ["490154203237518"]}, "take_blocked"),
        (MessageKind.VERDICT, "v1", VERDICT, "take_verdict"),
        (MessageKind.ORDER_INDEX, "a", {"revision": 7, "orders": {}}, "take_order_index"),
        (MessageKind.ORDER_INDEX, "a", b"", "drop_order_index"),
        (MessageKind.COUNTED, "SO-1", {"order": "SO-1", "part": "3", "revision": 1, "boxes": []}, "take_counted"),
        (MessageKind.COUNTED, "SO-1", b"", "drop_counted"),
    ]:
        (call,) = centre.take(kind, payload, of=of)
        assert call[0] == name
    assert centre.inbound.refused() == []
    assert centre.changes == 0


@pytest.mark.parametrize("retained", [True, False])
def test_a_manifest_says_whether_the_broker_had_it_in_store(retained: bool) -> None:
    (call,) = Centre().take(MessageKind.ORDER, MANIFEST, of="SO-1", retained=retained)
    assert call.kwargs == {"is_stored": retained}
    assert call.args[0].order == "SO-1"


def test_requests_go_to_the_main_thread() -> None:
    centre = Centre()
    assert centre.take(MessageKind.REQUEST, {"transaction": "t1"}, of="identify") == []
    assert [(request.name, request.transaction) for request in centre.requests] == [("identify", "t1")]


@pytest.mark.parametrize(
    ("kind", "of"),
    [
        (MessageKind.ORDER_INDEX, ""),
        (MessageKind.OPERATORS, ""),
        (MessageKind.BOXES, ""),
        (MessageKind.VERDICT, "1"),
    ],
)
def test_an_empty_message_is_ignored(kind: MessageKind, of: str) -> None:
    """`mqtt.md#refused-messages`, `mqtt.md#verdicts`"""
    centre = Centre()
    assert centre.take(kind, b"", of=of) == []
    assert centre.inbound.refused() == []


def test_an_empty_message_removes_a_part_of_the_blocked_units() -> None:
    """`mqtt.md#blocked-units`"""
    (call,) = Centre().take(MessageKind.BLOCKED, b"", of="1")
    assert (call[0], call.args) == ("drop_blocked", ("1",))


def test_a_message_whose_payload_was_discarded_is_refused_by_name() -> None:
    """`mqtt.md#oversize-messages`"""
    centre = Centre()
    centre.inbound.take(
        Inbound(
            kind=MessageKind.ORDER, id="BIG", payload=b"", retained=True, topic="t/BIG", discarded_bytes=200_000_000
        )
    )
    assert centre.queue.next_message() is None
    (line,) = centre.inbound.refused()
    assert line.startswith("t/BIG")
    assert "200000000 bytes" in line


def test_refused_messages_of_a_kind_are_logged_ten_times_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """`mqtt.md#refused-messages`"""
    now = [0.0]
    inbound = InboundMessages(
        TaskQueue(lambda: None), on_request=lambda _: None, on_change=lambda: None, now=lambda: now[0]
    )
    for number in range(500):
        inbound.take(message(MessageKind.VERDICT, b"{", of=f"v{number}"))
    inbound.take(message(MessageKind.ORDER, b"{", of="SO-1"))
    assert len(caplog.records) == 11
    inbound.log_left_out()
    assert len(caplog.records) == 11
    now[0] = 60.0
    inbound.log_left_out()
    assert caplog.records[-1].count == 490  # type: ignore[attr-defined]


def test_a_flood_waits_for_the_scan_path_but_not_for_ever() -> None:
    """`mqtt.md#bounded-memory`"""
    queue = TaskQueue(lambda: None)
    queue.tell(*[lambda _: None] * MESSAGES_MAX)
    began = time.monotonic()
    queue.wait_for_room(0.05)
    assert time.monotonic() - began >= 0.05
    queue.next_message()
    began = time.monotonic()
    queue.wait_for_room(10.0)
    assert time.monotonic() - began < 5.0


def test_a_refused_message_is_named_until_a_sound_one_comes() -> None:
    """`mqtt.md#refused-messages`"""
    centre = Centre()
    assert centre.take(MessageKind.ORDER, {**MANIFEST, "revision": "3"}, of="SO-1") == []
    (line,) = centre.inbound.refused()
    assert "t/order/SO-1" in line
    assert "revision" in line
    assert centre.changes == 1
    centre.take(MessageKind.BOXES, {"revision": 1, "items": [SIZE]})
    assert centre.inbound.refused() == [line]
    centre.take(MessageKind.ORDER, MANIFEST, of="SO-1")
    assert centre.inbound.refused() == []
    assert centre.changes == 2


def test_only_the_newest_refusals_are_remembered() -> None:
    centre = Centre()
    for number in range(50):
        centre.take(MessageKind.ORDER, b"not JSON", of=f"SO-{number}")
    centre.take(MessageKind.ORDER, b"not JSON either", of="SO-30")
    refused = centre.inbound.refused()
    assert len(refused) == 20
    assert "SO-30" in refused[-1]


def test_a_message_over_the_limit_is_refused() -> None:
    centre = Centre()
    assert centre.take(MessageKind.BOXES, b" " * (256 * 1024) + b"{}") == []
    assert "more than 262144" in centre.inbound.refused()[0]

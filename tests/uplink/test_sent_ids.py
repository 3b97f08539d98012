"""Ids of events in flight."""

from agent.uplink.sent_ids import SentIds


def document(event_id: str) -> bytes:
    return b'{"specversion":"1.0","id":"%b","data":{"id":"other"}}' % event_id.encode()


def test_ids_are_found_by_position_until_delivered() -> None:
    ids = SentIds()
    for position in (5, 6, 7):
        ids.add(position, document(f"id-{position}"))
    ids.add(6, document("again"))
    assert [ids.get(position) for position in range(4, 9)] == [None, "id-5", "id-6", "id-7", None]
    ids.delivered(6)
    assert [ids.get(position) for position in range(4, 9)] == [None, None, None, "id-7", None]
    ids.clear()
    assert ids.get(7) is None


def test_a_gap_gives_no_wrong_id() -> None:
    """Positions have gaps where events were pruned."""
    ids = SentIds()
    ids.add(5, document("id-5"))
    ids.add(8, document("id-8"))
    assert ids.get(6) is None

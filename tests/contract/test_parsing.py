"""What is no message at all, and what a refusal tells.

Rules: `mqtt.md#refused-messages`, `scanning.md#control-characters`.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.messages import blocked_of, order_index_of
from agent.contract.parsing import MAX_MESSAGE_BYTES
from agent.contract.refused import MessageRefused
from tests.contract.samples import JSON, MANIFEST, changed, outcome, parse, payload, refusal


def test_size_of_a_message_is_bounded() -> None:
    """Rule: mqtt.md#refused-messages."""
    data = payload(MANIFEST)
    assert parse(data.ljust(MAX_MESSAGE_BYTES)).revision == 3
    assert "bytes" in refusal(data.ljust(MAX_MESSAGE_BYTES + 1)).fields[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b'"SO-1001"',
        b"{",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf" + payload(MANIFEST),
        payload(MANIFEST) + b"x",
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": NaN'),
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": Infinity'),
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": 03'),
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": ' + b"9" * 5000),
        payload(MANIFEST).replace(b"CASE-13", b"CASE\xff13"),
        payload(MANIFEST).replace(b"CASE-13", b"CASE\\ud80013"),
        payload(MANIFEST).replace(b'"revision": 3', b'"revision": 3, "deep": ' + b"[" * 50_000 + b"]" * 50_000),
        b"[" * 200_000,
        b'{"a":' * 40_000,
    ],
    ids=lambda data: data[:20].decode("latin-1"),
)
def test_what_is_no_manifest_at_all_is_refused(data: bytes) -> None:
    assert refusal(data).fields


@given(st.binary(max_size=200) | JSON.map(payload))
def test_anything_else_is_refused(data: bytes) -> None:
    refused = outcome(parse, data)
    assert isinstance(refused, MessageRefused)
    assert refused.fields
    assert str(refused).isprintable()


def test_refusal_stays_short_when_everything_is_wrong() -> None:
    fields = refusal(payload(changed(MANIFEST, ("barcodes",), [1] * 1000))).fields
    assert len(fields) == 21
    assert fields[-1] == "and 980 more"


def test_refusal_shows_no_control_character_of_a_name() -> None:
    with pytest.raises(MessageRefused) as refused:
        order_index_of(payload({"revision": 7, "orders": {"a\n\x1b[2J" + "b" * 500: 1}}), topic="t")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


def test_refusal_of_a_message_on_an_endless_topic_is_short() -> None:
    with pytest.raises(MessageRefused) as refused:
        blocked_of("p" * 60_000, b"{}", topic="t/" + "p" * 60_000)
    assert len(str(refused.value)) < 2000

"""What a broker must still get of the retained messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centre.link.retained_differences import EMPTY_DIGEST, differences, digest_of
from centre.store.retained_rows import RetainedRow

A, B = digest_of(b"a"), digest_of(b"b")


@pytest.mark.parametrize(
    ("payload", "held", "is_published"),
    [
        (b"a", {}, True),  # new, or forgotten by the broker
        (b"a", {"t": A}, False),
        (b"a", {"t": B}, True),  # changed
        (b"a", {"t": EMPTY_DIGEST}, True),  # cleared by somebody
        (b"", {"t": A}, True),  # to be cleared
        (b"", {"t": EMPTY_DIGEST}, False),
        (b"", {}, True),  # perhaps it was never read
        (b"a", {"other": A}, True),
    ],
)
def test_one_topic(payload: bytes, held: dict[str, bytes], is_published: bool) -> None:
    row = RetainedRow(topic="t", payload=payload, change=1)
    assert list(differences([row], held)) == ([row] if is_published else [])


topics = st.sampled_from("abcdefgh")
payloads = st.sampled_from([b"", b"1", b"2"])


@given(st.dictionaries(topics, payloads), st.dictionaries(topics, payloads))
def test_publishing_the_differences_makes_the_broker_equal(desired: dict[str, bytes], broker: dict[str, bytes]) -> None:
    rows = [RetainedRow(topic=topic, payload=payload, change=at) for at, (topic, payload) in enumerate(desired.items())]
    held = {topic: digest_of(payload) for topic, payload in broker.items()}
    published = list(differences(rows, held))
    after = broker | {row.topic: row.payload for row in published}
    assert {topic: after[topic] for topic in desired} == desired
    assert {topic: payload for topic, payload in after.items() if topic not in desired} == {
        topic: payload for topic, payload in broker.items() if topic not in desired
    }
    # Nothing is published again, and nothing without need.
    assert not list(differences(rows, {topic: digest_of(payload) for topic, payload in after.items()}))
    assert all(broker.get(row.topic) != row.payload for row in published)

"""The benchmark's consumer finds its packets however they are split."""

from hypothesis import given
from hypothesis import strategies as st

from bench.consumer_process import end_of
from harness.mqtt_packets import PUBLISH, encode


@given(body=st.binary(max_size=40_000), rest=st.binary(max_size=10))
def test_a_packet_ends_where_its_length_says(body: bytes, rest: bytes) -> None:
    whole = encode(PUBLISH, body)
    found = end_of(whole + rest, 0)
    assert found is not None
    start, stop = found
    assert (whole + rest)[start:stop] == body
    assert stop == len(whole)


@given(body=st.binary(max_size=300), cut=st.integers(min_value=1))
def test_a_packet_cut_short_has_no_end_yet(body: bytes, cut: int) -> None:
    whole = encode(PUBLISH, body)
    assert end_of(whole[: len(whole) - 1 - (cut % len(whole))], 0) is None


def test_the_length_is_in_groups_of_seven_bits_as_the_standard_shows() -> None:
    assert encode(PUBLISH, bytes(321))[:3] == bytes([0x30, 0xC1, 0x02])  # MQTT 3.1.1, 2.2.3

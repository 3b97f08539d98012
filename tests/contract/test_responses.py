"""Responses to requests (`mqtt.md#requests`)."""

from msgspec.json import encode

from agent.contract.responses import Response, SequenceRange


def test_only_what_answers_the_request_is_written() -> None:
    assert encode(Response(transaction="t", request="identify", ok=True)) == (
        b'{"transaction":"t","request":"identify","ok":true}'
    )


def test_range_is_written_under_the_names_of_the_request() -> None:
    pruned = (SequenceRange(first="000000000001", last="000000000002"),)
    answer = Response(
        transaction="t", request="resend", ok=True, journal="3F0C9A1B", first=None, last=None, pruned=pruned
    )
    assert encode(answer) == (
        b'{"transaction":"t","request":"resend","ok":true,"journal":"3F0C9A1B","from":null,"through":null,'
        b'"pruned":[{"from":"000000000001","through":"000000000002"}]}'
    )

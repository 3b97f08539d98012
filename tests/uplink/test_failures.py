"""Why the broker cannot be reached, in one line."""

import socket
import ssl

import pytest

from agent.uplink.failures import BrokerLost, explain, shown


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the host name cannot be resolved"),
        (TimeoutError("timed out"), "no answer in time"),
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens there"),
        (OSError(113, "No route to host"), "No route to host"),
        (OSError("plain"), "plain"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "the port does not speak TLS"),
        (ssl.SSLError(1, "[SSL: SOMETHING] new"), "TLS: "),
        ("failed to receive on socket: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] x", "requires a client certificate"),
        ("failed to receive on socket: [Errno 104] Connection reset by peer", "Connection reset by peer"),
    ],
)
def test_every_failure_becomes_one_line(error: OSError | str, expected: str) -> None:
    line = explain(error)
    assert expected in line
    assert line.isprintable()


def test_text_from_a_peer_cannot_forge_a_log_line() -> None:
    assert shown("one\ntwo\x1b[31m") == "one\\ntwo\\x1b[31m"
    assert len(shown("x" * 10_000)) < 300


def test_only_one_reason_code_means_taken_over() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    assert BrokerLost("closed", code=0x8E).taken_over
    assert not BrokerLost("closed", code=0x8B).taken_over
    assert not BrokerLost("closed").taken_over

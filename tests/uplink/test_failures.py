"""Failures in words."""

import socket
import ssl

import pytest

from agent.uplink.failures import BrokerLost, explain, shown


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name cannot be resolved"),
        (TimeoutError("timed out"), "no answer in time"),
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens there"),
        (OSError(113, "No route to host"), "No route to host"),
        (OSError("plain"), "plain"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "the port does not speak TLS"),
        (ssl.SSLError(1, "[SSL: SOMETHING] new"), "TLS: "),
        ("failed to receive on socket: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] x", "wants a certificate of us"),
        ("failed to receive on socket: [Errno 104] Connection reset by peer", "Connection reset by peer"),
    ],
)
def test_every_failure_is_one_line(error: OSError | str, said: str) -> None:
    line = explain(error)
    assert said in line
    assert line.isprintable()


def test_what_a_peer_sends_cannot_forge_a_line() -> None:
    assert shown("one\ntwo\x1b[31m") == "one\\ntwo\\x1b[31m"
    assert len(shown("x" * 10_000)) < 300


def test_only_one_code_means_taken_over() -> None:
    assert BrokerLost("closed", code=0x8E).taken_over
    assert not BrokerLost("closed", code=0x8B).taken_over
    assert not BrokerLost("closed").taken_over

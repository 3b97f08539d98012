"""TLS: the broker is always verified, and every failure becomes one line that says what to do."""

import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.uplink.failures import BrokerLost
from agent.uplink.oneshot import try_connect
from agent.uplink.uplink_settings import BrokerSettings, DeliverySettings
from harness.certificates import DAY, NOW, Authority
from harness.mqtt_packets import CONNECT, SUBSCRIBE
from harness.played_broker import PlayedBroker


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), home_made=True)


@pytest.fixture(name="stranger", scope="module")
def _stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger", home_made=True)


def attempt(context: ssl.SSLContext | None, *, ca: Path, cert: Path | None = None, key: Path | None = None) -> str:
    """Return what `try_connect` says about a broker with this TLS context (None: no TLS)."""

    def serve(peer: PlayedBroker) -> None:
        try:
            broker = peer.accept()
            if context is None:
                broker.send_raw(b"\x20\x02\x00\x05 no TLS here")
                broker.expect_closed()
                return
            broker.expect(CONNECT)
            broker.connack()
            broker.suback(broker.expect(SUBSCRIBE))
            broker.expect_closed()
        except OSError:
            pass  # the handshake failed, as the test expects
        finally:
            peer.__exit__(None, None, None)

    peer = PlayedBroker(context=context)
    server = threading.Thread(target=serve, args=(peer,))
    server.start()
    settings = BrokerSettings(hosts=(("127.0.0.1", peer.port),), ca_file=ca, cert_file=cert, key_file=key)
    try:
        return try_connect(settings, DeliverySettings(), site="rtm1", kiosk="dock-3", timeout_s=3.0)
    except BrokerLost as exc:
        return str(exc)
    finally:
        server.join()


def refusal_by_strict_checks(context: ssl.SSLContext, *, ca: Path) -> str:
    """Return why Python 3.13's default context refuses the certificate of a server with this context."""
    strict = ssl.create_default_context(cafile=str(ca))
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = strict.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        client.do_handshake()
    return caught.value.verify_message


def test_a_good_certificate_is_accepted_and_its_expiry_reported(authority: Authority) -> None:
    """(`commands.md#check`)"""
    pair = authority.issue("good", ends=datetime(2049, 5, 6, tzinfo=UTC))
    assert "connected, MQTT 5; its certificate expires 2049-05-06" in attempt(pair.server_context(), ca=authority.file)


def test_a_home_made_certificate_is_accepted_on_every_python(authority: Authority) -> None:
    """Python 3.13 would refuse a certificate without Authority Key Identifier. (settings.md#broker)"""
    context = authority.issue("home-made").server_context()
    assert "Missing Authority Key Identifier" in refusal_by_strict_checks(context, ca=authority.file)
    assert "connected" in attempt(context, ca=authority.file)


def test_an_intermediate_authority_can_be_trusted_on_every_python(authority: Authority, tmp_path: Path) -> None:
    """Python 3.11 would demand the root. (settings.md#broker)"""
    intermediate = Authority(tmp_path, "intermediate", parent=authority, home_made=True)
    assert "connected" in attempt(intermediate.issue("server").server_context(), ca=intermediate.file)


@pytest.mark.parametrize(
    ("begins", "ends", "address", "expected"),
    [
        (NOW - 2 * DAY, NOW - DAY, "127.0.0.1", "has expired"),
        (NOW + DAY, NOW + 2 * DAY, "127.0.0.1", "not yet valid; is this machine's clock right?"),
        (NOW - DAY, NOW + DAY, "10.0.0.1", "for another address"),
    ],
)
def test_an_invalid_certificate_is_explained(
    authority: Authority, begins: datetime, ends: datetime, address: str, expected: str
) -> None:
    """(`settings.md#broker`)"""
    pair = authority.issue("bad", begins=begins, ends=ends, address=address)
    assert expected in attempt(pair.server_context(), ca=authority.file)


def test_an_unknown_authority_is_explained(authority: Authority, stranger: Authority) -> None:
    assert "set ca_file" in attempt(stranger.issue("server").server_context(), ca=authority.file)


def test_a_missing_client_certificate_is_explained(authority: Authority) -> None:
    context = authority.issue("server").server_context(client_ca=authority.file)
    assert "set cert_file and key_file" in attempt(context, ca=authority.file)


def test_our_certificate_is_presented(authority: Authority) -> None:
    context = authority.issue("server").server_context(client_ca=authority.file)
    ours = authority.issue("ours")
    assert "connected" in attempt(context, ca=authority.file, cert=ours.cert, key=ours.key)


def test_an_untrusted_client_certificate_is_explained(authority: Authority, stranger: Authority) -> None:
    context = authority.issue("server").server_context(client_ca=authority.file)
    ours = stranger.issue("ours")
    assert "authority that issued our certificate" in attempt(context, ca=authority.file, cert=ours.cert, key=ours.key)


def test_a_port_without_tls_is_explained(authority: Authority) -> None:
    assert "does not speak TLS" in attempt(None, ca=authority.file)


def test_an_unusable_file_is_named(authority: Authority, tmp_path: Path) -> None:
    def refused(*, ca_file: Path, ours: Path | None = None) -> str:
        settings = BrokerSettings(hosts=(("127.0.0.1", 1),), ca_file=ca_file, cert_file=ours, key_file=ours)
        with pytest.raises(BrokerLost) as caught:
            try_connect(settings, DeliverySettings(), site="rtm1", kiosk="dock-3")
        return str(caught.value)

    missing, garbage = tmp_path / "missing.pem", tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    assert f"ca_file {missing} cannot be read: No such file" in refused(ca_file=missing)
    assert "cannot be used" in refused(ca_file=garbage)
    assert "cannot be used" in refused(ca_file=authority.file, ours=garbage)

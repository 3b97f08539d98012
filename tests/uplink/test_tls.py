"""TLS: always verified, and every way in which it fails said in one line."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.uplink.certificates import expiry_of_der, expiry_of_pem_file
from agent.uplink.failures import BrokerLost
from agent.uplink.oneshot import try_connect
from agent.uplink.uplink_settings import BrokerSettings, DeliverySettings
from tests.uplink.authorities import DAY, NOW, Authority
from tests.uplink.peers import CONNECT, SUBSCRIBE, Peer


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ca")


@pytest.fixture(name="stranger", scope="module")
def _stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


def attempt(context: ssl.SSLContext | None, *, ca: Path, cert: Path | None = None, key: Path | None = None) -> str:
    """What `try_connect` says of a broker with this TLS context (none: it speaks none)."""

    def serve(peer: Peer) -> None:
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
            pass  # the handshake failed, as it should
        finally:
            peer.__exit__(None, None, None)

    peer = Peer(context=context)
    server = threading.Thread(target=serve, args=(peer,))
    server.start()
    settings = BrokerSettings(hosts=(("127.0.0.1", peer.port),), ca_file=ca, cert_file=cert, key_file=key)
    try:
        return try_connect(settings, DeliverySettings(), site="rtm1", kiosk="dock-3", timeout_s=3.0)
    except BrokerLost as exc:
        return str(exc)
    finally:
        server.join()


def test_a_good_certificate_is_accepted_and_its_end_told(authority: Authority) -> None:
    pair = authority.pair("good", ends=datetime(2049, 5, 6, tzinfo=UTC))
    assert "connected, MQTT 5; its certificate expires 2049-05-06" in attempt(pair.server_context(), ca=authority.file)


@pytest.mark.parametrize(
    ("begins", "ends", "address", "said"),
    [
        (NOW - 2 * DAY, NOW - DAY, "127.0.0.1", "has expired"),
        (NOW + DAY, NOW + 2 * DAY, "127.0.0.1", "not yet valid; is this machine's clock right?"),
        (NOW - DAY, NOW + DAY, "10.0.0.1", "for another address"),
    ],
)
def test_a_certificate_that_does_not_hold_is_explained(
    authority: Authority, begins: datetime, ends: datetime, address: str, said: str
) -> None:
    pair = authority.pair("bad", begins=begins, ends=ends, address=address)
    assert said in attempt(pair.server_context(), ca=authority.file)


def test_an_unknown_authority_is_explained(authority: Authority, stranger: Authority) -> None:
    assert "set ca_file" in attempt(stranger.pair("server").server_context(), ca=authority.file)


def test_a_broker_that_wants_our_certificate_is_explained(authority: Authority) -> None:
    context = authority.pair("server").server_context(client_ca=authority.file)
    assert "set cert_file and key_file" in attempt(context, ca=authority.file)


def test_our_certificate_is_shown(authority: Authority) -> None:
    context = authority.pair("server").server_context(client_ca=authority.file)
    ours = authority.pair("ours")
    assert "connected" in attempt(context, ca=authority.file, cert=ours.cert, key=ours.key)


def test_our_certificate_of_an_unknown_authority_is_explained(authority: Authority, stranger: Authority) -> None:
    context = authority.pair("server").server_context(client_ca=authority.file)
    ours = stranger.pair("ours")
    assert "authority of our certificate" in attempt(context, ca=authority.file, cert=ours.cert, key=ours.key)


def test_a_port_without_tls_is_explained(authority: Authority) -> None:
    assert "does not speak TLS" in attempt(None, ca=authority.file)


def test_a_file_that_cannot_be_used_is_named(authority: Authority, tmp_path: Path) -> None:
    def refused(*, ca_file: Path, ours: Path | None = None) -> str:
        settings = BrokerSettings(hosts=(("127.0.0.1", 1),), ca_file=ca_file, cert_file=ours, key_file=ours)
        with pytest.raises(BrokerLost) as caught:
            try_connect(settings, DeliverySettings(), site="rtm1", kiosk="dock-3")
        return str(caught.value)

    missing, garbage = tmp_path / "missing.pem", tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    assert f"ca_file {missing}: No such file" in refused(ca_file=missing)
    assert "cannot be used" in refused(ca_file=garbage)
    assert "cannot be used" in refused(ca_file=authority.file, ours=garbage)


@pytest.mark.parametrize("ends", [datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2051, 1, 2, tzinfo=UTC)])
def test_the_end_of_a_certificate_is_read_in_both_forms_of_time(authority: Authority, ends: datetime) -> None:
    pair = authority.pair("dated", ends=ends)
    assert expiry_of_pem_file(pair.cert) == ends


def test_what_is_no_certificate_has_no_end(authority: Authority, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.pair("whole", ends=NOW + timedelta(days=9)).cert.read_text())
    assert expiry_of_der(der) == NOW + timedelta(days=9)
    assert {expiry_of_der(der[:length]) for length in range(60)} == {None}
    assert expiry_of_pem_file(tmp_path / "missing.pem") is None
    (tmp_path / "text.pem").write_text("no certificate")
    assert expiry_of_pem_file(tmp_path / "text.pem") is None

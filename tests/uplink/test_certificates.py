"""Read when a certificate expires."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.uplink.certificates import expiry_of_der, expiry_of_pem_file
from harness.certificates import NOW, Authority


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), home_made=True)


@pytest.mark.parametrize("ends", [datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2051, 1, 2, tzinfo=UTC)])
def test_expiry_is_read_from_both_time_formats(authority: Authority, ends: datetime) -> None:
    pair = authority.issue("dated", ends=ends)
    assert expiry_of_pem_file(pair.cert) == ends


def test_what_is_no_certificate_has_no_expiry(authority: Authority, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.issue("whole", ends=NOW + timedelta(days=9)).cert.read_text())
    assert expiry_of_der(der) == NOW + timedelta(days=9)
    assert {expiry_of_der(der[:length]) for length in range(60)} == {None}
    assert expiry_of_pem_file(tmp_path / "missing.pem") is None
    (tmp_path / "text.pem").write_text("no certificate")
    assert expiry_of_pem_file(tmp_path / "text.pem") is None

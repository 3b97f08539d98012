"""Read when an X.509 certificate expires, the one field that `health` reports. DER as in RFC 5280, section 4.1.

The standard library has no public function for it: `SSLSocket.getpeercert` decodes the broker's certificate, but
nothing decodes our own client certificate from its file (`ssl._ssl._test_decode_cert` is private;
`SSLContext.get_ca_certs` lists authorities only). The package `cryptography` costs a kiosk far more memory and start-up
time than these lines.
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["expiry_of_der", "expiry_of_pem_file"]

_VERSION, _SEQUENCE, _UTC_TIME = 0xA0, 0x30, 0x17


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Return the element at an offset: its tag, and where its content starts and ends."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[start : start + size])
        start += size
    return tag, start, start + length


def expiry_of_der(der: bytes) -> datetime | None:
    """Return `notAfter` of a certificate in UTC; None if these bytes are not a certificate."""
    try:
        _, at, _ = _element(der, 0)  # Certificate
        _, at, _ = _element(der, at)  # tbsCertificate
        if der[at] == _VERSION:
            _, _, at = _element(der, at)
        for _ in range(3):  # serialNumber, signature, issuer
            _, _, at = _element(der, at)
        tag, at, _ = _element(der, at)  # validity
        if tag != _SEQUENCE:
            return None
        _, _, at = _element(der, at)  # notBefore
        tag, start, end = _element(der, at)
        text = der[start:end].decode("ascii")
        form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except (IndexError, ValueError):
        return None


def expiry_of_pem_file(path: Path) -> datetime | None:
    """Return `notAfter` of the first certificate in a PEM file in UTC; None if there is no readable one."""
    try:
        text = path.read_text("ascii", "ignore")
        start = text.index(ssl.PEM_HEADER)
        end = text.index(ssl.PEM_FOOTER, start) + len(ssl.PEM_FOOTER)
        return expiry_of_der(ssl.PEM_cert_to_DER_cert(text[start:end]))
    except (OSError, ValueError):
        return None

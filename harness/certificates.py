"""A certificate authority for one test, and server certificates for the loopback."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "Certificates", "issue"]


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """PEM files: the authority's certificate, the server's, the server's key."""

    authority: Path
    server: Path
    server_key: Path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: str,
    key: ec.EllipticCurvePublicKey,
    *,
    authority: bool,
    since_days: int,
    until_days: int,
    home_made: bool,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("test authority"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=since_days))
        .not_valid_after(now + datetime.timedelta(days=until_days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if home_made:
        return builder
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


class Authority:
    """Signs certificates. Its own is valid for 200 days, since 100 days ago.

    `home_made` leaves out what RFC 5280 demands and few tools add: key identifiers and the authority's key usage.
    """

    def __init__(self, *, home_made: bool = False) -> None:
        self._home_made = home_made
        self._key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        key = self._key.public_key()
        builder = _builder("test authority", key, authority=True, since_days=-100, until_days=100, home_made=home_made)
        if not home_made:
            builder = builder.add_extension(usage, critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())

    def issue(
        self,
        directory: Path,
        *,
        name: str = "localhost",
        address: str = "127.0.0.1",
        since_days: int = -1,
        until_days: int = 30,
    ) -> Certificates:
        """Write a server's certificate and key, and the authority's certificate, into `directory`.

        The server's is valid from `since_days` until `until_days`, counted from now.
        """
        directory.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
        builder = _builder(
            name,
            key.public_key(),
            authority=False,
            since_days=since_days,
            until_days=until_days,
            home_made=self._home_made,
        ).add_extension(x509.SubjectAlternativeName(names), critical=False)
        if not self._home_made:
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
            builder = builder.add_extension(issuer, critical=False)
        server = builder.sign(self._key, hashes.SHA256())
        files = Certificates(
            authority=directory / "ca.pem", server=directory / "server.pem", server_key=directory / "server.key"
        )
        files.authority.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        files.server.write_bytes(server.public_bytes(serialization.Encoding.PEM))
        files.server_key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        files.server_key.chmod(0o600)
        return files


def issue(directory: Path, *, home_made: bool = False) -> Certificates:
    """Make an authority, and write a certificate of it for `localhost` and 127.0.0.1 into `directory`."""
    return Authority(home_made=home_made).issue(directory)

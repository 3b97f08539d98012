"""A certificate authority for one test, and certificates that it issues for the loopback."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["DAY", "NOW", "Authority", "Certificates", "issue"]

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """PEM files: a certificate, its key, and the certificate of the authority that issued it."""

    cert: Path
    key: Path
    authority: Path

    def server_context(self, *, client_ca: Path | None = None) -> ssl.SSLContext:
        """Return a TLS server's context; with `client_ca` it demands a client certificate of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        return context


class Authority:
    """Issues certificates into `folder`. It signs its own, or has it signed by `parent`.

    A `home_made` authority leaves out what RFC 5280 demands and few tools add: key identifiers and its key usage.
    """

    def __init__(
        self, folder: Path, name: str = "ca", *, parent: "Authority | None" = None, home_made: bool = False
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{name}.pem"
        self._folder = folder
        self._name = _name(name)
        self._home_made = home_made
        self._key = ec.generate_private_key(ec.SECP256R1())
        issuer, age = parent or self, 100 * DAY
        builder = issuer._builder(self._name, self._key, is_ca=True, begins=NOW - age, ends=NOW + age)
        if not home_made:
            builder = builder.add_extension(_SIGNS, critical=True)
        certificate = builder.sign(issuer._key, hashes.SHA256())
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        name: str = "server",
        *,
        host: str = "localhost",
        address: str = "127.0.0.1",
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + 30 * DAY,
    ) -> Certificates:
        """Write a certificate for a host and its address, and the key. An earlier one of this name is replaced."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ip_address(address))])
        builder = self._builder(_name(host), key, is_ca=False, begins=begins, ends=ends)
        builder = builder.add_extension(names, critical=False)
        if not self._home_made:
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
            builder = builder.add_extension(issuer, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        files = Certificates(cert=self._folder / f"{name}.pem", key=self._folder / f"{name}.key", authority=self.file)
        files.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        files.key.chmod(0o600)
        return files

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_ca: bool, begins: datetime, ends: datetime
    ) -> x509.CertificateBuilder:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if self._home_made:
            return builder
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def issue(directory: Path, *, home_made: bool = False) -> Certificates:
    """Make an authority in `directory`, and issue a certificate for `localhost` and 127.0.0.1."""
    return Authority(directory, home_made=home_made).issue()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


_SIGNS = x509.KeyUsage(
    digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip

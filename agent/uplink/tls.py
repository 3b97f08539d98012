"""The TLS context. The broker's certificate and host name are always verified, alike on every version of Python."""

import ssl

from agent.uplink.failures import BrokerLost, shown
from agent.uplink.uplink_settings import BrokerSettings

__all__ = ["client_context"]


def client_context(settings: BrokerSettings) -> ssl.SSLContext:
    """Return a client context with the configured files. Raises BrokerLost if one of them cannot be used."""
    for name, path in (
        ("ca_file", settings.ca_file),
        ("cert_file", settings.cert_file),
        ("key_file", settings.key_file),
    ):
        try:
            if path is not None:
                path.read_bytes()
        except OSError as exc:
            raise BrokerLost(f"{name} {path} cannot be read: {exc.strerror}") from exc
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        # Python 3.13 changed two defaults; these are the same on every version. STRICT also demands extensions that
        # home-made authorities leave out (Authority Key Identifier, key usage): with it, an upgrade of the system would
        # take kiosks offline. Signatures, dates, purpose and names are checked without it, too. PARTIAL_CHAIN trusts
        # an authority in ca_file even if another one has signed its certificate.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.cert_file:
            # An empty password, so that OpenSSL does not ask for one at the terminal.
            context.load_cert_chain(settings.cert_file, settings.key_file, password="")
    except (ssl.SSLError, OSError) as exc:
        raise BrokerLost(f"ca_file, cert_file or key_file cannot be used: {shown(str(exc))}") from exc
    return context

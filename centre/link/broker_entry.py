"""Getting into a broker: TCP, TLS and the password. With TLS its certificate and host name are always verified."""

import socket
import ssl
from contextlib import ExitStack

from centre.centre_errors import LinkDown
from centre.configuration.centre_settings import MqttBrokerSettings
from centre.configuration.secret_files import secret_in

__all__ = ["connected_socket", "explained", "read_password"]


def connected_socket(settings: MqttBrokerSettings, *, timeout_s: float) -> socket.socket:
    """Resolve, connect and shake hands, blocking; return the socket. Raises LinkDown that says why in words."""
    try:
        with ExitStack() as undo:
            raw = undo.enter_context(socket.create_connection((settings.host, settings.port), timeout=timeout_s))
            # A single ack must not wait for the TCP acknowledgement of the one before (Nagle's algorithm).
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected = _encrypted(raw, settings) if settings.tls else raw
            undo.pop_all()
            return connected
    except (OSError, UnicodeError) as exc:  # UnicodeError: IDNA cannot encode the host name
        raise LinkDown(explained(exc)) from exc


def _encrypted(raw: socket.socket, settings: MqttBrokerSettings) -> ssl.SSLSocket:
    context = _context(settings)
    try:
        return context.wrap_socket(raw, server_hostname=settings.host)
    except ConnectionResetError as exc:  # what Mosquitto does on a port without TLS
        raise LinkDown("it ended the TLS handshake; does the port speak TLS? If not: tls = false") from exc


def read_password(settings: MqttBrokerSettings) -> str | None:
    """Return the account's password. It is read at each try, since it may have been renewed. Raises LinkDown."""
    if settings.password_file is None:
        return None
    try:
        return secret_in(settings.password_file)
    except OSError as exc:
        raise LinkDown(f"password_file {settings.password_file} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise LinkDown(f"password_file {settings.password_file} must hold {exc}") from exc


def _context(settings: MqttBrokerSettings) -> ssl.SSLContext:
    """Return a client context with the configured files. Raises LinkDown if one of them cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        # As the kiosks have it: the same on every version of Python, and without demands that home-made authorities
        # do not meet.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.cert_file:
            # An empty password, so that OpenSSL does not ask for one at the terminal.
            context.load_cert_chain(settings.cert_file, settings.key_file, password="")
    except OSError as exc:
        raise LinkDown(f"ca_file, cert_file or key_file cannot be used: {exc}") from exc
    return context


def explained(error: OSError | UnicodeError | LinkDown) -> str:
    """Return in words why a connection was not made, or was lost."""
    match error:
        case LinkDown():
            return str(error)
        case ssl.SSLCertVerificationError():
            return f"its certificate cannot be verified: {error.verify_message}; check ca_file and the clock"
        case ssl.SSLError():
            return f"TLS: {error.reason or error}; does the port speak TLS, and does the broker want a certificate?"
        case socket.gaierror():
            return "the host name cannot be resolved; check it and the DNS server"
        case TimeoutError():
            return "no answer in time; check the network and the firewall"
        case ConnectionRefusedError():
            return "nothing listens there; check the port and that the broker runs"
        case OSError():
            return error.strerror or str(error) or type(error).__name__
        case _:
            return f"the host name is invalid: {error}"
